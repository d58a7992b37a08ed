#include "modelfs.h"

#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>

/*
 * ISA-L's choice of blocks depends on how input and output arrive. So that the same data gives the same bytes, it
 * only ever sees full input buffers of this size (but for the last) and an empty output buffer of this size.
 */
#define PIECE ((size_t)128 * 1024)

struct modelfs_deflate {
    struct isal_zstream stream;
    int32_t level;
    uint8_t *level_buffer;
    size_t held;         /* bytes gathered in `input` */
    size_t ready;        /* bytes in `output` */
    size_t given;        /* of these already handed out */
    int32_t compressing; /* `input` is with ISA-L, which wants more room */
    uint8_t input[PIECE];
    uint8_t output[PIECE];
};

static uint32_t level_buffer_size(int32_t level)
{
    switch (level) {
    case 1:
        return ISAL_DEF_LVL1_DEFAULT;
    case 2:
        return ISAL_DEF_LVL2_DEFAULT;
    case 3:
        return ISAL_DEF_LVL3_DEFAULT;
    default:
        return ISAL_DEF_LVL0_DEFAULT;
    }
}

modelfs_deflate *modelfs_deflate_new(int32_t level)
{
    if (level < ISAL_DEF_MIN_LEVEL || level > ISAL_DEF_MAX_LEVEL) {
        return NULL;
    }
    modelfs_deflate *deflate = calloc(1, sizeof *deflate);
    if (deflate == NULL) {
        return NULL;
    }
    deflate->level = level;
    if (level_buffer_size(level) > 0) {
        deflate->level_buffer = malloc(level_buffer_size(level));
        if (deflate->level_buffer == NULL) {
            free(deflate);
            return NULL;
        }
    }
    modelfs_deflate_reset(deflate);
    return deflate;
}

void modelfs_deflate_reset(modelfs_deflate *deflate)
{
    isal_deflate_init(&deflate->stream);
    deflate->stream.level = (uint32_t)deflate->level;
    deflate->stream.level_buf = deflate->level_buffer;
    deflate->stream.level_buf_size = level_buffer_size(deflate->level);
    deflate->stream.gzip_flag = IGZIP_DEFLATE;
    deflate->held = 0;
    deflate->ready = 0;
    deflate->given = 0;
    deflate->compressing = 0;
}

void modelfs_deflate_free(modelfs_deflate *deflate)
{
    if (deflate != NULL) {
        free(deflate->level_buffer);
        free(deflate);
    }
}

static size_t move_bytes(uint8_t *to, uint64_t room, const uint8_t *from, uint64_t available)
{
    size_t length = (size_t)(available < room ? available : room);
    if (length > 0) {
        memcpy(to, from, length);
    }
    return length;
}

/* Lets ISA-L fill the empty output buffer. */
static int compress(modelfs_deflate *deflate)
{
    struct isal_zstream *stream = &deflate->stream;
    if (!deflate->compressing) {
        stream->next_in = deflate->input;
        stream->avail_in = (uint32_t)deflate->held;
    }
    stream->next_out = deflate->output;
    stream->avail_out = PIECE;
    int result = isal_deflate(stream);
    deflate->given = 0;
    deflate->ready = PIECE - stream->avail_out;
    deflate->compressing = stream->avail_in > 0 || stream->avail_out == 0;
    if (!deflate->compressing) {
        deflate->held = 0;
    }
    return result;
}

int32_t modelfs_deflate_run(modelfs_deflate *deflate,
                            const uint8_t *in, uint64_t in_length, uint64_t *consumed,
                            uint8_t *out, uint64_t out_length, uint64_t *produced, int32_t finish)
{
    struct isal_zstream *stream = &deflate->stream;

    *consumed = 0;
    *produced = 0;
    for (;;) {
        size_t moved = move_bytes(out + *produced, out_length - *produced,
                                  deflate->output + deflate->given, deflate->ready - deflate->given);
        deflate->given += moved;
        *produced += moved;
        if (deflate->given < deflate->ready) {
            return MODELFS_MORE;
        }
        if (stream->internal_state.state == ZSTATE_END) {
            return MODELFS_END;
        }
        if (!deflate->compressing) {
            moved = move_bytes(deflate->input + deflate->held, PIECE - deflate->held,
                               in + *consumed, in_length - *consumed);
            deflate->held += moved;
            *consumed += moved;
            /* A full buffer waits until it is known whether it is the last one: that decides its final block. */
            if (*consumed == in_length) {
                if (!finish) {
                    return MODELFS_MORE;
                }
                stream->end_of_stream = 1;
            }
        }
        if (compress(deflate) != COMP_OK) {
            return MODELFS_UNEXPECTED;
        }
    }
}
