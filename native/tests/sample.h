/* Sample data and zlib as the oracle. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <stdint.h>
#include <stddef.h>

struct bytes {
    uint8_t *data;
    size_t length;
};

enum sample_kind { SAMPLE_TEXT, SAMPLE_NOISE, SAMPLE_ZEROS, SAMPLE_WEIGHTS, SAMPLE_KINDS };

/* The same length and kind give the same data. Free with free(). */
struct bytes sample_new(enum sample_kind kind, size_t length);
/* zlib's raw deflate; level 0 to 9, strategy as zlib's (Z_FIXED makes fixed Huffman blocks). */
struct bytes zlib_deflate(struct bytes plain, int level, int strategy);
/* zlib's raw inflate of one complete stream without anything behind it; data NULL when it is damaged or cut. */
struct bytes zlib_inflate(struct bytes packed, size_t length_max);

#endif
