/*
 * The timed loops of the benchmarks. In C, so that the loop itself costs next to nothing beside the calls that it times.
 *
 *   probe stat DIR SECONDS          lstat of every file below DIR, again and again
 *   probe open DIR SECONDS          open, read of up to 64 KiB, close of every file below DIR, again and again
 *   probe read PATH...              reads files, and folders whole, once, in blocks of 1 MiB
 *   probe first FILE                open and read of the first byte
 *   probe write FILE MIB            writes a new file in blocks of 1 MiB; with --fsync, syncs it before it is closed
 *   probe create DIR COUNT BYTES    creates that many files of that size; with --fsync, syncs each before it is closed
 *   probe cost FILE COMMAND...      runs a command, writes "SECONDS CPU-SECONDS PEAK-KIB" of all its processes to FILE, ends as it does
 *
 * All but cost print "SECONDS OPERATIONS BYTES". Ends with 1 and one line on standard error when a call fails.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1 << 20, SMALL_BYTES = 64 << 10 };

static char block[BLOCK_BYTES];
static char **files;
static size_t file_count;
static long long operations;
static long long bytes;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void remember(const char *path)
{
    if ((file_count & (file_count + 1)) == 0 && !(files = realloc(files, (2 * file_count + 2) * sizeof *files)))
        err(1, "realloc");
    if (!(files[file_count++] = strdup(path)))
        err(1, "strdup");
}

/* Calls visit for every regular file below path, in the order of the folder. */
static void walk(const char *path, void (*visit)(const char *))
{
    DIR *folder = opendir(path);
    if (!folder)
        err(1, "%s", path);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char name[PATH_MAX];
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR)
            walk(name, visit);
        else if (entry->d_type == DT_REG)
            visit(name);
    }
    closedir(folder);
}

static void stat_file(const char *path)
{
    struct stat status;
    if (lstat(path, &status))
        err(1, "%s", path);
}

static void open_file(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        err(1, "%s", path);
    ssize_t got = read(file, block, SMALL_BYTES);
    if (got < 0)
        err(1, "%s", path);
    bytes += got;
    close(file);
}

static void read_file(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        err(1, "%s", path);
    ssize_t got;
    while ((got = read(file, block, BLOCK_BYTES)) > 0)
        bytes += got;
    if (got < 0)
        err(1, "%s", path);
    close(file);
    operations++;
}

static void again_and_again(const char *path, double seconds, void (*visit)(const char *))
{
    walk(path, remember);
    if (!file_count)
        errx(1, "%s holds no file", path);
    for (size_t i = 0; i < file_count; i++)
        visit(files[i]);
    bytes = 0;
    double start = now(), end;
    do {
        for (size_t i = 0; i < file_count; i++)
            visit(files[i]);
        operations += (long long)file_count;
        end = now();
    } while (end - start < seconds);
    printf("%.9f %lld %lld\n", end - start, operations, bytes);
}

static void write_file(const char *path, long long size, int sync)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0)
        err(1, "%s", path);
    for (long long left = size; left > 0;) {
        ssize_t put = write(file, block, (size_t)(left < BLOCK_BYTES ? left : BLOCK_BYTES));
        if (put < 0)
            err(1, "%s", path);
        left -= put;
        bytes += put;
    }
    if (sync && fsync(file))
        err(1, "fsync %s", path);
    if (close(file))
        err(1, "close %s", path);
    operations++;
}

/* From this small process, because the memory of the one that starts a program counts as the program's until it runs. */
static int cost(const char *result, char **command)
{
    double start = now();
    pid_t child = fork();
    if (child < 0)
        err(1, "fork");
    if (child == 0) {
        execvp(command[0], command);
        err(127, "%s", command[0]);
    }
    int status;
    struct rusage usage;
    if (wait4(child, &status, 0, &usage) != child)
        err(1, "wait4");
    double seconds = now() - start;
    FILE *file = fopen(result, "w");
    if (!file)
        err(1, "%s", result);
    fprintf(file, "%.9f %.6f %ld\n", seconds,
            (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6, usage.ru_maxrss);
    if (fclose(file))
        err(1, "%s", result);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int count, char **words)
{
    int sync = count > 1 && !strcmp(words[count - 1], "--fsync");
    const char *what = count > 2 ? words[1] : "";
    if (count > 3 && !strcmp(what, "cost"))
        return cost(words[2], words + 3);
    for (int i = 0; i < BLOCK_BYTES; i++)
        block[i] = (char)(i * 2654435761u >> 13);
    if (!strcmp(what, "stat") && count == 4) {
        again_and_again(words[2], atof(words[3]), stat_file);
        return 0;
    }
    if (!strcmp(what, "open") && count == 4) {
        again_and_again(words[2], atof(words[3]), open_file);
        return 0;
    }
    double start = now();
    if (!strcmp(what, "read")) {
        for (int i = 2; i < count; i++) {
            struct stat status;
            if (stat(words[i], &status))
                err(1, "%s", words[i]);
            if (S_ISDIR(status.st_mode))
                walk(words[i], read_file);
            else
                read_file(words[i]);
        }
    } else if (!strcmp(what, "first")) {
        int file = open(words[2], O_RDONLY | O_CLOEXEC);
        if (file < 0 || (bytes = read(file, block, 1)) < 0)
            err(1, "%s", words[2]);
        operations = 1;
    } else if (!strcmp(what, "write") && count >= 4) {
        write_file(words[2], atoll(words[3]) << 20, sync);
    } else if (!strcmp(what, "create") && count >= 5) {
        char name[PATH_MAX];
        for (int i = 0; i < atoi(words[3]); i++) {
            snprintf(name, sizeof name, "%s/file_%06d", words[2], i);
            write_file(name, atoll(words[4]), sync);
        }
    } else {
        errx(2, "usage: probe stat|open|read|first|write|create|cost ..., see probe.c");
    }
    printf("%.9f %lld %lld\n", now() - start, operations, bytes);
    return 0;
}
