/* Starting the daemon's process. */
#ifndef KEEPER_DAEMON_H
#define KEEPER_DAEMON_H

#include "options.h"

/*
 * Runs the daemon with `channel_end` as descriptor 3, standard input empty, no other descriptor, no blocked signal,
 * in a process group of its own (a terminal's Ctrl-C reaches it once, through the keeper). Returns its pid or -1
 * with the reason.
 */
pid_t daemon_start(const struct options *options, int channel_end, struct failure *failure);

#endif
