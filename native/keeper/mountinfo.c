#include "mountinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The kernel writes space, tab, newline and backslash as three octal digits. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; to++) {
        if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] != '\0' && from[3] != '\0') {
            *to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

static unsigned id_option(const char *options, const char *name)
{
    const char *found = options == NULL ? NULL : strstr(options, name);
    return found == NULL ? (unsigned)-1 : (unsigned)strtoul(found + strlen(name), NULL, 10);
}

/* id parent major:minor root MOUNTPOINT options [tags...] - TYPE source super-options */
static bool parse_line(char *line, const char *path, struct mountinfo *entry)
{
    char *rest = NULL;
    char *fields[5];
    for (int i = 0; i < 5; i++) {
        fields[i] = strtok_r(i == 0 ? line : NULL, " ", &rest);
        if (fields[i] == NULL) {
            return false;
        }
    }
    unescape(fields[4]);
    if (strcmp(fields[4], path) != 0) {
        return false;
    }
    char *field;
    do {
        field = strtok_r(NULL, " ", &rest);
    } while (field != NULL && strcmp(field, "-") != 0);
    char *type = strtok_r(NULL, " ", &rest);
    strtok_r(NULL, " ", &rest);
    char *options = strtok_r(NULL, " \n", &rest);
    if (type == NULL) {
        return false;
    }
    snprintf(entry->device, sizeof entry->device, "%s", fields[2]);
    snprintf(entry->type, sizeof entry->type, "%s", type);
    entry->user_id = id_option(options, "user_id=");
    entry->group_id = id_option(options, "group_id=");
    return true;
}

bool mountinfo_find(const char *path, struct mountinfo *found)
{
    bool any = false;
    char *line = NULL;
    size_t size = 0;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (file == NULL) {
        return false;
    }
    /* A later line at the same place is a mount above the earlier one. */
    while (getline(&line, &size, file) > 0) {
        struct mountinfo entry;
        if (parse_line(line, path, &entry)) {
            *found = entry;
            any = true;
        }
    }
    free(line);
    fclose(file);
    return any;
}
