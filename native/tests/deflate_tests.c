#include "check.h"
#include "sample.h"

#include "../libmodelfs/modelfs.h"

#include <stdlib.h>
#include <string.h>

/* Compresses with input in pieces of `in_step` and output in pieces of `out_step`. */
static struct bytes deflate_in_steps(modelfs_deflate *deflate, struct bytes plain, size_t in_step, size_t out_step)
{
    struct bytes packed = { malloc(plain.length * 2 + 1024), 0 };
    size_t room = plain.length * 2 + 1024;
    size_t shown = 0;
    uint64_t consumed = 0;
    for (;;) {
        uint64_t used;
        uint64_t made;
        size_t out_now = room - packed.length < out_step ? room - packed.length : out_step;
        int32_t finish = shown == plain.length;
        int32_t result = modelfs_deflate_run(deflate, plain.data + consumed, shown - consumed, &used,
                                             packed.data + packed.length, out_now, &made, finish);
        CHECK(result >= 0);
        CHECK(used <= shown - consumed);
        CHECK(made <= out_now);
        consumed += used;
        packed.length += made;
        if (result == MODELFS_END) {
            CHECK(finish);
            CHECK_EQUAL(plain.length, consumed);
            CHECK_EQUAL(MODELFS_END, modelfs_deflate_run(deflate, plain.data, 1, &used, packed.data, 1, &made, 1));
            CHECK_EQUAL(0, used + made);
            return packed;
        }
        CHECK(packed.length < room);
        if (consumed == shown && !finish) {
            shown = shown + in_step < plain.length ? shown + in_step : plain.length;
        }
    }
}

static void zlib_reads_what_every_level_writes(void)
{
    static const size_t lengths[] = { 0, 1, 255, 65535, 131071, 131072, 131073, 262144, 3000001 };
    for (int32_t level = 0; level <= 3; level++) {
        modelfs_deflate *deflate = modelfs_deflate_new(level);
        for (int kind = 0; kind < SAMPLE_KINDS; kind++) {
            for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
                struct bytes plain = sample_new((enum sample_kind)kind, lengths[i]);
                modelfs_deflate_reset(deflate);
                struct bytes packed = deflate_in_steps(deflate, plain, plain.length + 1, plain.length + 1024);
                struct bytes back = zlib_inflate(packed, plain.length);
                CHECK(back.data != NULL);
                CHECK_EQUAL(plain.length, back.length);
                CHECK(memcmp(plain.data, back.data, plain.length) == 0);
                /* Level 0 has one fixed code table and no stored blocks. */
                CHECK(packed.length <= plain.length + plain.length / (level == 0 ? 4 : 1000) + 256);
                free(back.data);
                free(packed.data);
                free(plain.data);
            }
        }
        modelfs_deflate_free(deflate);
    }
    modelfs_deflate_free(NULL);
    CHECK(modelfs_deflate_new(-1) == NULL);
    CHECK(modelfs_deflate_new(4) == NULL);
}

static void the_same_data_gives_the_same_bytes_however_it_is_cut(void)
{
    static const struct { size_t in; size_t out; } cuts[] = {
        { 1, 1 << 20 }, { 1000, 1 }, { 4096, 4096 }, { 65536, 300 }, { 131072, 131072 }, { 131073, 9 }, { 400000, 65536 },
    };
    for (int32_t level = 0; level <= 3; level++) {
        modelfs_deflate *used_before = modelfs_deflate_new(level);
        for (int kind = 0; kind < SAMPLE_KINDS; kind++) {
            struct bytes plain = sample_new((enum sample_kind)kind, 400000);
            modelfs_deflate *fresh = modelfs_deflate_new(level);
            struct bytes expected = deflate_in_steps(fresh, plain, plain.length, plain.length * 2);
            modelfs_deflate_free(fresh);
            for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
                modelfs_deflate_reset(used_before);
                struct bytes packed = deflate_in_steps(used_before, plain, cuts[i].in, cuts[i].out);
                CHECK_EQUAL(expected.length, packed.length);
                CHECK(memcmp(expected.data, packed.data, packed.length) == 0);
                free(packed.data);
            }
            free(expected.data);
            free(plain.data);
        }
        modelfs_deflate_free(used_before);
    }
}

static void a_reset_in_the_middle_forgets_everything(void)
{
    struct bytes first = sample_new(SAMPLE_TEXT, 300000);
    struct bytes second = sample_new(SAMPLE_WEIGHTS, 300000);
    for (int32_t level = 0; level <= 3; level++) {
        uint8_t out[100];
        uint64_t used;
        uint64_t made;
        modelfs_deflate *deflate = modelfs_deflate_new(level);
        struct bytes expected = deflate_in_steps(deflate, second, second.length, second.length);
        modelfs_deflate_reset(deflate);
        CHECK_EQUAL(MODELFS_MORE, modelfs_deflate_run(deflate, first.data, first.length, &used, out, sizeof out, &made, 0));
        modelfs_deflate_reset(deflate);
        struct bytes packed = deflate_in_steps(deflate, second, second.length, second.length);
        CHECK_EQUAL(expected.length, packed.length);
        CHECK(memcmp(expected.data, packed.data, packed.length) == 0);
        free(packed.data);
        free(expected.data);
        modelfs_deflate_free(deflate);
    }
    free(second.data);
    free(first.data);
}

static void our_own_streams_come_back_byte_by_byte(void)
{
    struct bytes plain = sample_new(SAMPLE_TEXT, 150000);
    for (int32_t level = 0; level <= 3; level++) {
        modelfs_deflate *deflate = modelfs_deflate_new(level);
        modelfs_inflate *inflate = modelfs_inflate_new();
        struct bytes packed = deflate_in_steps(deflate, plain, 10000, 10000);
        uint8_t *out = malloc(plain.length + 1);
        uint64_t produced = 0;
        int32_t result = MODELFS_MORE;
        for (size_t i = 0; i < packed.length && result == MODELFS_MORE; i++) {
            uint64_t used;
            uint64_t made;
            result = modelfs_inflate_run(inflate, packed.data + i, 1, &used, out + produced, plain.length + 1 - produced, &made);
            produced += made;
            CHECK(result >= 0);
            CHECK(used == 1);
        }
        CHECK_EQUAL(plain.length, produced);
        CHECK_EQUAL(MODELFS_END, result);
        CHECK(memcmp(plain.data, out, plain.length) == 0);
        free(out);
        free(packed.data);
        modelfs_inflate_free(inflate);
        modelfs_deflate_free(deflate);
    }
    free(plain.data);
}

void deflate_tests(void)
{
    static const struct test tests[] = {
        { "zlib reads what every level writes", zlib_reads_what_every_level_writes },
        { "the same data gives the same bytes however it is cut", the_same_data_gives_the_same_bytes_however_it_is_cut },
        { "a reset in the middle forgets everything", a_reset_in_the_middle_forgets_everything },
        { "our own streams come back byte by byte", our_own_streams_come_back_byte_by_byte },
    };
    run_tests("deflate", TESTS(tests));
}
