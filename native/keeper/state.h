/* Everything that one keeper knows. */
#ifndef KEEPER_STATE_H
#define KEEPER_STATE_H

#include "backing.h"
#include "channel.h"
#include "mount.h"

#define NEVER INT64_MAX /* a time on the monotonic clock, in milliseconds, that does not come */

struct keeper {
    const struct options *options;
    struct mount mount;
    struct backing_table backings;
    int signals;
    int ready_fd;

    pid_t daemon; /* 0 while none runs */
    int channel;  /* -1 while none runs, or when the daemon closed its end */
    bool can_resend;
    bool was_ready; /* some daemon was: from here on death means restart */
    bool failed;    /* it gave up by itself */
    int stops;      /* SIGTERMs seen */
    char saved[CHANNEL_PAYLOAD_MAX];
    size_t saved_length;

    int64_t started_ms;
    int64_t delay_ms;   /* before the last start */
    int64_t start_at;   /* NEVER while a daemon runs */
    int64_t give_up_at; /* NEVER while one is ready */
    int64_t kill_at;

    bool finished;
    int exit_status;
};

int64_t now_ms(void);
/* Tells whoever waits for the mount, once; nothing when that was done. */
void report(struct keeper *keeper, const char *line);
void report_error(struct keeper *keeper, const char *text);

#endif
