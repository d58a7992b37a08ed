/* One keeper with a fake daemon, a folder of its own, and a clean end whatever happened. */
#ifndef KEEPER_RIG_H
#define KEEPER_RIG_H

#include <stdbool.h>
#include <sys/types.h>

struct rig {
    char folder[64];
    char mountpoint[80];
    char line[4200]; /* what came through --ready-fd, without its newline */
    pid_t keeper;    /* the process that keeps the mount; our child in the foreground, our grandchild otherwise */
};

/* Ends what the last rig left, then makes a folder with an empty mount point. */
void rig_new(struct rig *rig);
/* Starts a keeper in the background with these options (may be "") and waits for its line. */
void rig_start(struct rig *rig, const char *mode, const char *options);
/* The same without a line to wait for; `ready` is what --ready-fd brings, up to the caller to read and close. */
pid_t rig_launch(struct rig *rig, const char *mode, const char *options, int *ready);
/* Waits up to 20 s until the folder's events hold `text` so many times. */
void rig_wait_event(struct rig *rig, const char *text, int count);
bool rig_has_event(const struct rig *rig, const char *text);
bool rig_log_has(const struct rig *rig, const char *text);
/* The daemon that was started last; 0 when there is none yet. */
pid_t rig_daemon(const struct rig *rig);
/* Sends it a signal; its pid. */
pid_t rig_kill_daemon(const struct rig *rig, int signal);
/* Waits up to 20 s for the keeper's end; its exit status. */
int rig_wait_end(struct rig *rig);
/* How many mounts stand at the mount point. */
int rig_mounts(const struct rig *rig);
/* Nothing mounted, no process left, folder gone. */
void rig_clean(void);

bool can_mount(void);
void pause_ms(int ms);

#endif
