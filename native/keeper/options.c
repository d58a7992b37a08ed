#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char options_usage[] =
    "usage: modelfs-keeper --mountpoint FOLDER --fsname TEXT [option...] -- DAEMON [argument...]\n"
    "  --options LIST        allow_other, ro, rw, default_permissions, noexec, max_read=BYTES\n"
    "  --user UID:GID        run the daemon as this user, without any capability\n"
    "  --ready-fd N          write `ready PID` or `error TEXT` to this descriptor\n"
    "  --log FILE            append the output of keeper and daemon to FILE\n"
    "  --foreground          do not go to the background\n"
    "  --read-ahead-kb N     the kernel's read-ahead for this mount (needs root)\n"
    "  --give-up-after S     abort the mount when a crashed daemon is not back after S seconds (60)\n";

static int parse_number(const char *text, unsigned long max, unsigned long *value)
{
    char *end;
    errno = 0;
    *value = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *value <= max ? 0 : -1;
}

static int parse_mount_option(struct options *options, const char *option, struct failure *failure)
{
    unsigned long value;
    if (strcmp(option, "allow_other") == 0) {
        options->allow_other = true;
    } else if (strcmp(option, "ro") == 0) {
        options->read_only = true;
    } else if (strcmp(option, "rw") == 0) {
        options->read_only = false;
    } else if (strcmp(option, "default_permissions") == 0) {
        options->default_permissions = true;
    } else if (strcmp(option, "noexec") == 0) {
        options->noexec = true;
    } else if (strncmp(option, "max_read=", 9) == 0 && parse_number(option + 9, 1 << 30, &value) == 0) {
        options->max_read = (unsigned)value;
    } else {
        return fail(failure, EINVAL, "unknown mount option `%s`", option);
    }
    return 0;
}

static int parse_mount_options(struct options *options, char *list, struct failure *failure)
{
    char *rest = NULL;
    for (char *option = strtok_r(list, ",", &rest); option != NULL; option = strtok_r(NULL, ",", &rest)) {
        if (parse_mount_option(options, option, failure) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Paths are taken from where the keeper is started, while it and the daemon live in `/` in the background. */
static int make_absolute(char path[PATH_MAX], const char *given, struct failure *failure)
{
    char here[PATH_MAX] = "";
    const char *separator = given[0] == '/' ? "" : "/";
    if ((given[0] != '/' && getcwd(here, sizeof here) == NULL) ||
        snprintf(path, PATH_MAX, "%s%s%s", here, separator, given) >= PATH_MAX) {
        return fail(failure, ENAMETOOLONG, "the full path of %s is not known or too long", given);
    }
    return 0;
}

static int parse_user(struct options *options, char *text, struct failure *failure)
{
    unsigned long uid;
    unsigned long gid;
    char *colon = strchr(text, ':');
    if (colon != NULL) {
        *colon = '\0';
    }
    if (colon == NULL || parse_number(text, UINT_MAX - 1, &uid) < 0 || parse_number(colon + 1, UINT_MAX - 1, &gid) < 0) {
        return fail(failure, EINVAL, "--user takes numbers, UID:GID");
    }
    options->has_user = true;
    options->uid = (uid_t)uid;
    options->gid = (gid_t)gid;
    if (geteuid() != 0 && (options->uid != geteuid() || options->gid != getegid())) {
        return fail(failure, EPERM, "only root can run the daemon as another user (--user %lu:%lu)", uid, gid);
    }
    return 0;
}

static int parse_option(struct options *options, int option, char *argument, struct failure *failure)
{
    unsigned long value;
    switch (option) {
    case 'm':
        return make_absolute(options->mountpoint, argument, failure);
    case 'n':
        options->fsname = argument;
        return 0;
    case 'o':
        return parse_mount_options(options, argument, failure);
    case 'u':
        return parse_user(options, argument, failure);
    case 'r':
        /* A copy above the standard streams: the daemon keeps those, and never sees this one. */
        if (parse_number(argument, INT_MAX, &value) < 0 || (options->ready_fd = fcntl((int)value, F_DUPFD_CLOEXEC, 10)) < 0) {
            return fail(failure, EBADF, "--ready-fd %s is not an open descriptor", argument);
        }
        return 0;
    case 'l':
        options->log = argument;
        return 0;
    case 'f':
        options->foreground = true;
        return 0;
    case 'a':
        if (parse_number(argument, 1 << 20, &value) < 0) {
            return fail(failure, EINVAL, "--read-ahead-kb takes a number");
        }
        options->read_ahead_kb = (unsigned)value;
        return 0;
    case 'g':
        if (parse_number(argument, 86400, &value) < 0) {
            return fail(failure, EINVAL, "--give-up-after takes a number of seconds");
        }
        options->give_up_seconds = (unsigned)value;
        return 0;
    default: /* --help */
        return 1;
    }
}

int options_parse(struct options *options, int argc, char **argv, struct failure *failure)
{
    static const struct option names[] = {
        { "mountpoint", required_argument, NULL, 'm' },  { "fsname", required_argument, NULL, 'n' },
        { "options", required_argument, NULL, 'o' },     { "user", required_argument, NULL, 'u' },
        { "ready-fd", required_argument, NULL, 'r' },    { "log", required_argument, NULL, 'l' },
        { "foreground", no_argument, NULL, 'f' },        { "read-ahead-kb", required_argument, NULL, 'a' },
        { "give-up-after", required_argument, NULL, 'g' }, { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option;

    *options = (struct options){ .uid = geteuid(), .gid = getegid(), .ready_fd = -1, .give_up_seconds = 60 };
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+", names, NULL)) != -1) {
        int result = option == '?' ? fail(failure, EINVAL, "%s is no option, or lacks its value; see modelfs-keeper --help",
                                          argv[optind - 1])
                                   : parse_option(options, option, optarg, failure);
        if (result != 0) {
            return result;
        }
    }
    options->daemon = argv + optind;
    if (options->mountpoint[0] == '\0' || options->fsname == NULL || options->daemon[0] == NULL) {
        return fail(failure, EINVAL, "--mountpoint, --fsname and a daemon are needed; see modelfs-keeper --help");
    }
    if (strchr(options->daemon[0], '/') == NULL) {
        snprintf(options->program, sizeof options->program, "%s", options->daemon[0]);
        return 0;
    }
    return make_absolute(options->program, options->daemon[0], failure);
}
