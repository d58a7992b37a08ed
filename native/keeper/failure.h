/* What went wrong, for a person: an errno for programs and one line that says what to do. */
#ifndef KEEPER_FAILURE_H
#define KEEPER_FAILURE_H

struct failure {
    int error; /* errno, positive */
    char text[1024];
};

/* Fills `failure`; always returns -1, so that a caller can return it. */
int fail(struct failure *failure, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* One line with the time on standard error, which is the log file in the background. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
