#include "sample.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

struct bytes sample_new(enum sample_kind kind, size_t length)
{
    static const char *const words[] = { "intent", "\"confidence\": 0.", "greet", ", ", "{\"text\": \"", "\"}\n", "entity", "rasa" };
    struct bytes sample = { malloc(length + 1), length };
    uint64_t random = 88172645463325252u;
    size_t at = 0;
    memset(sample.data, 0, length + 1);
    while (kind != SAMPLE_ZEROS && at < length) {
        uint64_t value = next_random(&random);
        const void *piece = &value;
        size_t piece_length = sizeof value;
        float weight = (float)(int64_t)(value % 2000 - 1000) / 1000;
        if (kind == SAMPLE_TEXT) {
            piece = words[value % 8];
            piece_length = strlen(piece);
        } else if (kind == SAMPLE_WEIGHTS) {
            piece = &weight;
            piece_length = sizeof weight;
        }
        if (piece_length > length - at) {
            piece_length = length - at;
        }
        memcpy(sample.data + at, piece, piece_length);
        at += piece_length;
    }
    return sample;
}

struct bytes zlib_deflate(struct bytes plain, int level, int strategy)
{
    z_stream stream = { 0 };
    deflateInit2(&stream, level, Z_DEFLATED, -15, 8, strategy);
    size_t room = deflateBound(&stream, plain.length) + 64;
    struct bytes packed = { malloc(room), 0 };
    stream.next_in = plain.data;
    stream.avail_in = (uInt)plain.length;
    stream.next_out = packed.data;
    stream.avail_out = (uInt)room;
    deflate(&stream, Z_FINISH);
    packed.length = stream.total_out;
    deflateEnd(&stream);
    return packed;
}

struct bytes zlib_inflate(struct bytes packed, size_t length_max)
{
    z_stream stream = { 0 };
    struct bytes plain = { malloc(length_max + 1), 0 };
    inflateInit2(&stream, -15);
    stream.next_in = packed.data;
    stream.avail_in = (uInt)packed.length;
    stream.next_out = plain.data;
    stream.avail_out = (uInt)length_max + 1;
    int result = inflate(&stream, Z_FINISH);
    plain.length = stream.total_out;
    if (result != Z_STREAM_END || stream.avail_in != 0) {
        free(plain.data);
        plain.data = NULL;
    }
    inflateEnd(&stream);
    return plain;
}
