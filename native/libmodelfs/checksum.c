#include "modelfs.h"

#include <isa-l/crc.h>

int32_t modelfs_abi_version(void)
{
    return MODELFS_ABI_VERSION;
}

uint32_t modelfs_crc32(uint32_t crc, const uint8_t *data, uint64_t length)
{
    return length == 0 ? crc : crc32_gzip_refl(crc, data, length);
}
