/*
 * libmodelfs: deflate, inflate and CRC-32 at the speed of Intel's ISA-L, behind an ABI of fixed-size types.
 *
 * Handles are independent: two threads may use two handles at the same time, one handle belongs to one thread at
 * a time. The library keeps no state of its own. Pointers may be NULL only where their length is 0.
 */
#ifndef MODELFS_H
#define MODELFS_H

#include <stdint.h>

#define MODELFS_ABI_VERSION 1
#define MODELFS_API __attribute__((visibility("default")))

/* What the run functions return. Everything negative is final until the handle is reset. */
enum {
    MODELFS_MORE = 0,            /* wants more input, or more room for output */
    MODELFS_END = 1,             /* the deflate stream is complete */
    MODELFS_BAD_BLOCK = -1,      /* damaged: a block header that deflate does not allow */
    MODELFS_BAD_SYMBOL = -2,     /* damaged: a code that stands for no symbol */
    MODELFS_BAD_DISTANCE = -3,   /* damaged: a match that begins before the data */
    MODELFS_UNEXPECTED = -100    /* ISA-L refused its settings: a defect of this library */
};

/* The version of this ABI: a caller that was written for another one must not go on. */
MODELFS_API int32_t modelfs_abi_version(void);

/*
 * CRC-32 as gzip and zlib compute it. Begin with crc 0 and pass the result of the last call on:
 * crc(crc(0, a), b) is the checksum of a followed by b.
 */
MODELFS_API uint32_t modelfs_crc32(uint32_t crc, const uint8_t *data, uint64_t length);

typedef struct modelfs_inflate modelfs_inflate;

/* A decompressor for one raw deflate stream (no gzip or zlib wrapper); NULL when memory is short. */
MODELFS_API modelfs_inflate *modelfs_inflate_new(void);
/* Makes the handle ready for another stream. */
MODELFS_API void modelfs_inflate_reset(modelfs_inflate *inflate);
/* Releases the handle; NULL is allowed. */
MODELFS_API void modelfs_inflate_free(modelfs_inflate *inflate);

/*
 * Decompresses as much as input and room allow. *consumed and *produced are the bytes used of `in` and written to
 * `out`. The caller passes what was not consumed again, in front of what follows. With room for at least one byte
 * every call consumes or produces something while there is input.
 *
 * MODELFS_MORE: when *produced == out_length there may be more output for the input already taken (call again with
 *   room, with or without input); otherwise more input is needed. A caller that has no more input holds a cut stream.
 * MODELFS_END: all output was written and *consumed ends exactly behind the stream's last byte, so that the gzip
 *   trailer follows it. Later calls consume and produce nothing and return MODELFS_END again.
 * Negative: damaged data; *produced bytes were written but are not to be trusted, and *consumed says nothing.
 */
MODELFS_API int32_t modelfs_inflate_run(modelfs_inflate *inflate,
                                        const uint8_t *in, uint64_t in_length, uint64_t *consumed,
                                        uint8_t *out, uint64_t out_length, uint64_t *produced);

typedef struct modelfs_deflate modelfs_deflate;

/*
 * A compressor that writes one raw deflate stream, level 0 (fastest) to 3 (smallest); NULL when memory is short or
 * there is no such level.
 */
MODELFS_API modelfs_deflate *modelfs_deflate_new(int32_t level);
/* Makes the handle ready for another stream of the same level. */
MODELFS_API void modelfs_deflate_reset(modelfs_deflate *deflate);
/* Releases the handle; NULL is allowed. */
MODELFS_API void modelfs_deflate_free(modelfs_deflate *deflate);

/*
 * Compresses. Input may be held back; `finish` other than 0 says that nothing follows behind `in` and must then be
 * said again until MODELFS_END. The same data gives the same bytes, however input and output are cut into calls.
 *
 * MODELFS_MORE: when *consumed < in_length or `finish` was said, call again with more room; otherwise bring more.
 * MODELFS_END: the stream is complete. Later calls consume and produce nothing and return MODELFS_END again.
 */
MODELFS_API int32_t modelfs_deflate_run(modelfs_deflate *deflate,
                                        const uint8_t *in, uint64_t in_length, uint64_t *consumed,
                                        uint8_t *out, uint64_t out_length, uint64_t *produced, int32_t finish);

#endif
