/* The life of the mount: serves the channel, forwards signals, restarts the daemon. */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include "options.h"

/* Writes `error TEXT` for whoever waits for the mount, and to the log. */
void keeper_report_error(int ready_fd, const char *text);

/* Runs until the mount's end. Returns the exit status: 0, 75 (not everything was drained) or 1. */
int keeper_run(const struct options *options);

#endif
