/*
 * The channel between keeper and daemon: AF_UNIX SOCK_SEQPACKET, one message per packet: a header of 32 bytes in
 * little-endian order, then up to 4000 bytes of payload, and at most one descriptor.
 */
#ifndef KEEPER_CHANNEL_H
#define KEEPER_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#define CHANNEL_PAYLOAD_MAX 4000
#define CHANNEL_DAEMON_FD 3 /* where the daemon finds its end */

enum message_type {
    MESSAGE_HELLO = 1,         /* keeper to daemon, first: value = keeper's pid; resumed: descriptor and saved blob */
    MESSAGE_MOUNT = 2,         /* answer: the /dev/fuse descriptor, or result and a text */
    MESSAGE_READY = 3,         /* INIT was answered, the mount is served from now on */
    MESSAGE_FAIL = 4,          /* payload: why the daemon gives up; there is no restart */
    MESSAGE_SAVE = 5,          /* payload: what the next HELLO brings back */
    MESSAGE_BACKING_OPEN = 6,  /* node_id and a descriptor; answer: value = backing id */
    MESSAGE_BACKING_CLOSE = 7, /* node_id */
    MESSAGE_UNMOUNT = 8,
};

#define HELLO_RESUMED 1u
#define READY_CAN_RESEND 1u
#define UNMOUNT_LAZY 1u

struct message_header {
    uint32_t type;
    uint32_t sequence;
    int32_t result; /* 0 or -errno */
    uint32_t flags;
    uint64_t node_id;
    int64_t value;
};

struct message {
    struct message_header header;
    size_t length; /* of the payload */
    int fd;        /* owned by the receiver; -1: none */
    char payload[CHANNEL_PAYLOAD_MAX + 1];
};

/* Both ends, close-on-exec. Returns 0 or -errno. */
int channel_pair(int ends[2]);
/* `fd` -1: none attached; it stays the caller's. Returns 0 or -errno. */
int channel_send(int channel, const struct message_header *header, const void *payload, size_t length, int fd);
/* Never waits. Returns 1 with a message (its payload NUL-terminated), 0 at the end, -EAGAIN when there is none now. */
int channel_receive(int channel, struct message *message);

#endif
