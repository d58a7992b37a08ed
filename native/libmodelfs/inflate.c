#include "modelfs.h"

#include <isa-l/igzip_lib.h>
#include <stdlib.h>

/* ISA-L counts room in 32 bits and computes with it as a signed number. */
#define STEP_MAX ((uint64_t)1 << 30)

struct modelfs_inflate {
    struct inflate_state state;
    int32_t result; /* MODELFS_MORE, or the final answer of this stream */
};

modelfs_inflate *modelfs_inflate_new(void)
{
    modelfs_inflate *inflate = calloc(1, sizeof *inflate);
    if (inflate != NULL) {
        modelfs_inflate_reset(inflate);
    }
    return inflate;
}

void modelfs_inflate_reset(modelfs_inflate *inflate)
{
    isal_inflate_init(&inflate->state);
    inflate->state.crc_flag = ISAL_DEFLATE;
    inflate->result = MODELFS_MORE;
}

void modelfs_inflate_free(modelfs_inflate *inflate)
{
    free(inflate);
}

static int32_t failure(int isal_result)
{
    switch (isal_result) {
    case ISAL_INVALID_BLOCK:
        return MODELFS_BAD_BLOCK;
    case ISAL_INVALID_SYMBOL:
        return MODELFS_BAD_SYMBOL;
    case ISAL_INVALID_LOOKBACK:
        return MODELFS_BAD_DISTANCE;
    default:
        return MODELFS_UNEXPECTED;
    }
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/*
 * ISA-L reads up to 8 bytes ahead into `read_in`. Takes the whole bytes among them out again and returns how many
 * of this call's input they are; what came with an earlier call (less than one symbol, see below) stays.
 * In the middle of a block header the bytes behind them are kept in `tmp_in_buffer`: there nothing can be taken out,
 * and nothing needs to, since it was the input that ended.
 */
static uint64_t take_back(struct inflate_state *state, uint64_t used)
{
    if (state->block_state == ISAL_BLOCK_HDR || state->read_in_length < 8) {
        return 0;
    }
    uint64_t whole = smaller((uint64_t)state->read_in_length / 8, used);
    state->read_in_length -= (int32_t)(whole * 8);
    if (state->read_in_length < 64) {
        state->read_in &= ((uint64_t)1 << state->read_in_length) - 1;
    }
    return whole;
}

int32_t modelfs_inflate_run(modelfs_inflate *inflate,
                            const uint8_t *in, uint64_t in_length, uint64_t *consumed,
                            uint8_t *out, uint64_t out_length, uint64_t *produced)
{
    struct inflate_state *state = &inflate->state;
    uint64_t used;
    uint64_t made;

    *consumed = 0;
    *produced = 0;
    while (inflate->result == MODELFS_MORE) {
        uint32_t given = (uint32_t)smaller(in_length - *consumed, STEP_MAX);
        uint32_t room = (uint32_t)smaller(out_length - *produced, STEP_MAX);
        state->next_in = (uint8_t *)in + *consumed;
        state->avail_in = given;
        state->next_out = out + *produced;
        state->avail_out = room;
        int result = isal_inflate(state);
        made = room - state->avail_out;
        *produced += made;
        if (result < 0) {
            /* avail_in is not to be relied on here: a header that is refused may have put bytes of earlier calls back. */
            inflate->result = failure(result);
            break;
        }
        used = given - state->avail_in;
        /*
         * When the output was the limit, the stream's end may lie among the bytes read ahead; given back now, they
         * belong to a later call, which can then say exactly where the end was. When the input was the limit, the
         * bits read ahead are less than one symbol and must stay, or input in small pieces would never get on.
         */
        if (state->avail_out == 0 || state->block_state == ISAL_BLOCK_FINISH) {
            used -= take_back(state, used);
        }
        *consumed += used;
        if (state->block_state == ISAL_BLOCK_FINISH) {
            inflate->result = MODELFS_END;
        }
        if (*produced == out_length || used + made == 0) {
            break;
        }
    }
    return inflate->result;
}
