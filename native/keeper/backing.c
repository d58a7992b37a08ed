#include "backing.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

/* Of the kernel's fuse.h since protocol 7.40 (Linux 6.9); the numbers are the same on every architecture. */
struct fuse_backing_map {
    int32_t fd;
    uint32_t flags;
    uint64_t padding;
};
#define FUSE_DEV_IOC_BACKING_OPEN _IOW(229, 1, struct fuse_backing_map)
#define FUSE_DEV_IOC_BACKING_CLOSE _IOW(229, 2, uint32_t)

struct backing {
    struct backing *next;
    uint64_t node_id;
    uint32_t id;
};

static struct backing **find(struct backing_table *table, uint64_t node_id)
{
    struct backing **link = &table->buckets[node_id * 0x9e3779b97f4a7c15u >> 52];
    while (*link != NULL && (*link)->node_id != node_id) {
        link = &(*link)->next;
    }
    return link;
}

int backing_open(struct backing_table *table, int fuse_fd, uint64_t node_id, int fd)
{
    struct backing **link = find(table, node_id);
    if (*link != NULL) {
        return (int)(*link)->id;
    }
    struct backing *added = malloc(sizeof *added);
    if (added == NULL) {
        return -ENOMEM;
    }
    struct fuse_backing_map map = { .fd = fd };
    int id = ioctl(fuse_fd, FUSE_DEV_IOC_BACKING_OPEN, &map);
    if (id <= 0) {
        id = id < 0 ? -errno : -EIO;
        free(added);
        return id;
    }
    *added = (struct backing){ .node_id = node_id, .id = (uint32_t)id };
    *link = added;
    return id;
}

int backing_close(struct backing_table *table, int fuse_fd, uint64_t node_id)
{
    struct backing **link = find(table, node_id);
    struct backing *removed = *link;
    if (removed == NULL) {
        return -ENOENT;
    }
    int result = ioctl(fuse_fd, FUSE_DEV_IOC_BACKING_CLOSE, &removed->id) < 0 ? -errno : 0;
    *link = removed->next;
    free(removed);
    return result;
}

void backing_forget(struct backing_table *table)
{
    for (int i = 0; i < BACKING_BUCKETS; i++) {
        while (table->buckets[i] != NULL) {
            struct backing *removed = table->buckets[i];
            table->buckets[i] = removed->next;
            free(removed);
        }
    }
}
