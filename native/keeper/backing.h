/*
 * Files that the kernel reads and writes by itself (passthrough). The ids live here, by node id, because a new open
 * of a file that is still open must carry the id of the first one, also when the daemon has been replaced meanwhile.
 */
#ifndef KEEPER_BACKING_H
#define KEEPER_BACKING_H

#include <stdint.h>

#define BACKING_BUCKETS 4096

struct backing;

struct backing_table {
    struct backing *buckets[BACKING_BUCKETS];
};

/* The id of this node, registering `fd` if it has none. Returns id > 0 or -errno (EPERM without CAP_SYS_ADMIN). */
int backing_open(struct backing_table *table, int fuse_fd, uint64_t node_id, int fd);
/* Returns 0 or -errno (ENOENT when the node has no id). */
int backing_close(struct backing_table *table, int fuse_fd, uint64_t node_id);
/* Forgets all ids: they ended with their connection. */
void backing_forget(struct backing_table *table);

#endif
