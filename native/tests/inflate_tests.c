#include "check.h"
#include "sample.h"

#include "../libmodelfs/modelfs.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const struct { int level; int strategy; } packings[] = {
    { 0, Z_DEFAULT_STRATEGY }, { 1, Z_DEFAULT_STRATEGY }, { 6, Z_DEFAULT_STRATEGY }, { 9, Z_DEFAULT_STRATEGY },
    { 6, Z_FIXED }, { 6, Z_HUFFMAN_ONLY }, { 6, Z_RLE },
};
enum { PACKINGS = sizeof packings / sizeof packings[0] };

/*
 * Inflates with input in pieces of `in_step` and output in pieces of `out_step`. Pieces that were not consumed whole
 * are offered again with the next piece behind them. Returns the last answer; *consumed and *produced are totals.
 */
static int32_t inflate_in_steps(modelfs_inflate *inflate, struct bytes packed, size_t in_step, uint8_t *out, size_t room,
                                size_t out_step, uint64_t *consumed, uint64_t *produced)
{
    size_t shown = 0;
    *consumed = 0;
    *produced = 0;
    for (;;) {
        uint64_t used;
        uint64_t made;
        uint64_t out_now = room - *produced < out_step ? room - *produced : out_step;
        int32_t result = modelfs_inflate_run(inflate, packed.data + *consumed, shown - *consumed, &used,
                                             out + *produced, out_now, &made);
        CHECK(used <= shown - *consumed);
        CHECK(made <= out_now);
        *consumed += used;
        *produced += made;
        if (result != MODELFS_MORE) {
            return result;
        }
        if (made < out_now || out_now == 0) {
            if (shown == packed.length) {
                return result;
            }
            shown = shown + in_step < packed.length ? shown + in_step : packed.length;
        }
    }
}

static void expect_plain(modelfs_inflate *inflate, struct bytes plain, struct bytes packed, size_t in_step, size_t out_step,
                         size_t trailing)
{
    uint64_t consumed;
    uint64_t produced;
    uint8_t *out = malloc(plain.length + 1);
    modelfs_inflate_reset(inflate);
    int32_t result = inflate_in_steps(inflate, packed, in_step, out, plain.length + 1, out_step, &consumed, &produced);
    CHECK_EQUAL(MODELFS_END, result);
    CHECK_EQUAL(plain.length, produced);
    CHECK_EQUAL(packed.length - trailing, consumed);
    CHECK(memcmp(out, plain.data, plain.length) == 0);
    free(out);
}

static struct bytes with_trailing(struct bytes packed, size_t count, uint8_t value)
{
    packed.data = realloc(packed.data, packed.length + count);
    memset(packed.data + packed.length, value, count);
    packed.length += count;
    return packed;
}

static void zlibs_streams_of_every_kind_come_back(void)
{
    static const size_t lengths[] = { 0, 1, 2, 100, 32767, 32768, 65536, 65537, 300000, 2000003 };
    modelfs_inflate *inflate = modelfs_inflate_new();
    for (int kind = 0; kind < SAMPLE_KINDS; kind++) {
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            struct bytes plain = sample_new((enum sample_kind)kind, lengths[i]);
            for (int p = 0; p < PACKINGS; p++) {
                struct bytes packed = zlib_deflate(plain, packings[p].level, packings[p].strategy);
                expect_plain(inflate, plain, packed, packed.length, plain.length + 1, 0);
                expect_plain(inflate, plain, packed, 4096, 1000, 0);
                free(packed.data);
            }
            free(plain.data);
        }
    }
    modelfs_inflate_free(inflate);
}

static void every_split_of_input_and_output_gives_the_same(void)
{
    modelfs_inflate *inflate = modelfs_inflate_new();
    for (int kind = 0; kind < SAMPLE_KINDS; kind++) {
        struct bytes plain = sample_new((enum sample_kind)kind, 700);
        for (int p = 0; p < PACKINGS; p++) {
            struct bytes packed = with_trailing(zlib_deflate(plain, packings[p].level, packings[p].strategy), 24, 0xff);
            for (size_t in_step = 1; in_step <= packed.length; in_step += in_step < 24 ? 1 : 37) {
                for (size_t out_step = 1; out_step <= plain.length; out_step += out_step < 20 ? 1 : 41) {
                    expect_plain(inflate, plain, packed, in_step, out_step, 24);
                }
            }
            free(packed.data);
        }
        free(plain.data);
    }
    modelfs_inflate_free(inflate);
}

static void the_end_is_exact_whatever_follows(void)
{
    modelfs_inflate *inflate = modelfs_inflate_new();
    static const uint8_t fillers[] = { 0x00, 0xff, 0x4b, 0x1f };
    for (size_t length = 0; length < 200; length++) {
        struct bytes plain = sample_new(SAMPLE_TEXT, length);
        for (int p = 0; p < PACKINGS; p++) {
            for (size_t trailing = 0; trailing <= 20; trailing += trailing < 9 ? 1 : 11) {
                struct bytes packed = with_trailing(zlib_deflate(plain, packings[p].level, packings[p].strategy), trailing,
                                                    fillers[(length + trailing) % sizeof fillers]);
                expect_plain(inflate, plain, packed, packed.length, plain.length + 1, trailing);
                expect_plain(inflate, plain, packed, packed.length, length / 2 + 1, trailing);
                expect_plain(inflate, plain, packed, 1, length + 1, trailing);
                if (length > 0) {
                    expect_plain(inflate, plain, packed, packed.length, length, trailing);
                }
                free(packed.data);
            }
        }
        free(plain.data);
    }
    modelfs_inflate_free(inflate);
}

/* As a pipeline calls it: the output is exactly as long as the plain data, and no byte more is ever offered. */
static void exact_room_ends_without_extra_output(void)
{
    modelfs_inflate *inflate = modelfs_inflate_new();
    struct bytes plain = sample_new(SAMPLE_WEIGHTS, 200000);
    struct bytes packed = with_trailing(zlib_deflate(plain, 6, Z_DEFAULT_STRATEGY), 8, 0xaa);
    uint8_t *out = malloc(plain.length);
    uint64_t consumed;
    uint64_t used;
    uint64_t made;
    int32_t result = modelfs_inflate_run(inflate, packed.data, packed.length, &consumed, out, plain.length, &made);
    CHECK_EQUAL(plain.length, made);
    for (int calls = 0; result == MODELFS_MORE && calls < 4; calls++) {
        result = modelfs_inflate_run(inflate, packed.data + consumed, packed.length - consumed, &used, NULL, 0, &made);
        CHECK_EQUAL(0, made);
        consumed += used;
    }
    CHECK_EQUAL(MODELFS_END, result);
    CHECK_EQUAL(packed.length - 8, consumed);
    CHECK(memcmp(out, plain.data, plain.length) == 0);
    CHECK_EQUAL(MODELFS_END, modelfs_inflate_run(inflate, packed.data, packed.length, &used, out, plain.length, &made));
    CHECK_EQUAL(0, used);
    CHECK_EQUAL(0, made);
    free(out);
    free(packed.data);
    free(plain.data);
    modelfs_inflate_free(inflate);
}

static void a_cut_stream_never_ends(void)
{
    modelfs_inflate *inflate = modelfs_inflate_new();
    for (int p = 0; p < PACKINGS; p++) {
        struct bytes plain = sample_new(SAMPLE_TEXT, 3000);
        struct bytes packed = zlib_deflate(plain, packings[p].level, packings[p].strategy);
        uint8_t *out = malloc(plain.length + 1);
        for (size_t cut = 0; cut < packed.length; cut++) {
            uint64_t consumed;
            uint64_t produced;
            /* A copy of exactly this length: the sanitizer sees a read behind the cut. */
            struct bytes part = { malloc(cut + 1), cut };
            part.data = realloc(part.data, cut == 0 ? 1 : cut);
            memcpy(part.data, packed.data, cut);
            modelfs_inflate_reset(inflate);
            CHECK_EQUAL(MODELFS_MORE, inflate_in_steps(inflate, part, cut + 1, out, plain.length + 1, plain.length + 1,
                                                       &consumed, &produced));
            CHECK_EQUAL(cut, consumed);
            CHECK(memcmp(out, plain.data, produced) == 0);
            free(part.data);
        }
        free(out);
        free(packed.data);
        free(plain.data);
    }
    modelfs_inflate_free(inflate);
}

/*
 * Whatever a flipped bit does: what zlib accepts is accepted with the same bytes and the same end. (ISA-L lets code
 * tables pass that zlib refuses as incomplete; the checksum of the wrapper judges what they decode to.)
 */
static void flipped_bits_are_judged_as_zlib_judges_them(void)
{
    modelfs_inflate *inflate = modelfs_inflate_new();
    int refused = 0;
    int accepted = 0;
    int lenient = 0;
    for (int p = 0; p < PACKINGS; p++) {
        struct bytes plain = sample_new(SAMPLE_TEXT, 600);
        struct bytes packed = zlib_deflate(plain, packings[p].level, packings[p].strategy);
        size_t room = 70000;
        uint8_t *out = malloc(room);
        for (size_t bit = 0; bit < packed.length * 8; bit++) {
            uint64_t consumed;
            uint64_t produced;
            packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            modelfs_inflate_reset(inflate);
            int32_t result = inflate_in_steps(inflate, packed, packed.length, out, room, room, &consumed, &produced);
            struct bytes upto = { packed.data, consumed };
            struct bytes judged = zlib_inflate(upto, room);
            if (result == MODELFS_END && judged.data != NULL) {
                CHECK_EQUAL(judged.length, produced);
                CHECK(memcmp(judged.data, out, produced) == 0);
                accepted++;
            }
            lenient += result == MODELFS_END && judged.data == NULL;
            refused += result < 0;
            free(judged.data);
            judged = zlib_inflate(packed, room);
            CHECK(judged.data == NULL || result == MODELFS_END);
            free(judged.data);
            packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        free(out);
        free(packed.data);
        free(plain.data);
    }
    CHECK(refused > 1000);
    CHECK(accepted > 1000);
    CHECK(lenient < refused / 10);
    modelfs_inflate_free(inflate);
}

static void damage_has_a_code_and_is_final_until_reset(void)
{
    static const struct { uint8_t data[8]; size_t length; int32_t code; } cases[] = {
        { { 0x07, 0, 0, 0 }, 4, MODELFS_BAD_BLOCK },                          /* block type 3 */
        { { 0x01, 0x05, 0x00, 0x00, 0x00, 1, 2, 3 }, 8, MODELFS_BAD_BLOCK },  /* stored length and its complement differ */
        { { 0x63, 0x00, 0x02, 0x00, 0, 0, 0, 0 }, 8, MODELFS_MORE },          /* a literal, then a match at distance 1 */
        { { 0x03, 0x02, 0, 0, 0, 0, 0, 0 }, 8, MODELFS_BAD_DISTANCE },        /* a match before any data */
    };
    modelfs_inflate *inflate = modelfs_inflate_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t out[64];
        uint64_t consumed;
        uint64_t produced;
        modelfs_inflate_reset(inflate);
        int32_t result = modelfs_inflate_run(inflate, cases[i].data, cases[i].length, &consumed, out, sizeof out, &produced);
        if (cases[i].code == MODELFS_MORE) {
            CHECK(result >= 0);
            continue;
        }
        CHECK_EQUAL(cases[i].code, result);
        CHECK_EQUAL(result, modelfs_inflate_run(inflate, cases[i].data, cases[i].length, &consumed, out, sizeof out, &produced));
        CHECK_EQUAL(0, consumed);
        CHECK_EQUAL(0, produced);
    }
    modelfs_inflate_free(inflate);
    modelfs_inflate_free(NULL);
}

static void crc_is_zlibs(void)
{
    struct bytes plain = sample_new(SAMPLE_NOISE, 70001);
    CHECK_EQUAL(0, modelfs_crc32(0, NULL, 0));
    for (size_t length = 0; length < 300; length++) {
        CHECK_EQUAL(crc32(0, plain.data + 3, (uInt)length), modelfs_crc32(0, plain.data + 3, length));
    }
    for (size_t cut = 0; cut <= plain.length; cut += 997) {
        uint32_t crc = modelfs_crc32(modelfs_crc32(0, plain.data, cut), plain.data + cut, plain.length - cut);
        CHECK_EQUAL(crc32(0, plain.data, (uInt)plain.length), crc);
    }
    free(plain.data);
    CHECK_EQUAL(1, modelfs_abi_version());
}

void inflate_tests(void)
{
    static const struct test tests[] = {
        { "zlib's streams of every kind come back", zlibs_streams_of_every_kind_come_back },
        { "every split of input and output gives the same", every_split_of_input_and_output_gives_the_same },
        { "the end is exact whatever follows", the_end_is_exact_whatever_follows },
        { "exact room ends without extra output", exact_room_ends_without_extra_output },
        { "a cut stream never ends", a_cut_stream_never_ends },
        { "flipped bits are judged as zlib judges them", flipped_bits_are_judged_as_zlib_judges_them },
        { "damage has a code and is final until reset", damage_has_a_code_and_is_final_until_reset },
        { "crc is zlib's", crc_is_zlibs },
    };
    run_tests("inflate", TESTS(tests));
}
