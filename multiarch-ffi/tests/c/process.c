/* What belongs to the process is as it was: process FUNCTION OPTIONS CODE. Threads, handlers of signals,
 * blocked signals, umask, working directory, locale, environment, open files. */
#define _GNU_SOURCE
#include <dirent.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

extern char **environ;

struct state {
    char signals[2000], folder[4096], locale[200];
    size_t environment;
    mode_t mask;
};

/* A line of /proc/self/status. */
static void line(char *out, size_t size, const char *name)
{
    char text[1000];
    FILE *status = fopen("/proc/self/status", "r");
    CHECK(status != NULL);
    while (fgets(text, sizeof text, status) != NULL)
        if (strncmp(text, name, strlen(name)) == 0) snprintf(out, size, "%s", text);
    fclose(status);
}

static int entries(const char *path)
{
    int count = 0;
    DIR *folder = opendir(path);
    CHECK(folder != NULL);
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}

static void look(struct state *state)
{
    memset(state, 0, sizeof *state);
    static const char *const names[] = {"SigCgt:", "SigIgn:", "SigBlk:", "SigPnd:", "ShdPnd:"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t used = strlen(state->signals);
        line(state->signals + used, sizeof state->signals - used, names[i]);
    }
    CHECK(getcwd(state->folder, sizeof state->folder) != NULL);
    snprintf(state->locale, sizeof state->locale, "%s", setlocale(LC_ALL, NULL));
    for (char **entry = environ; *entry != NULL; entry++)
        for (char *c = *entry; *c != 0; c++)
            state->environment = state->environment * 31 + (unsigned char)*c;
    state->mask = umask(0);
    umask(state->mask);
}

static void *nothing(void *argument)
{
    return argument;
}

int main(int argc, char **argv)
{
    pthread_t first;
    struct state before, after;
    multiarch_result *result = NULL;
    multiarch_error *error = NULL;
    CHECK(argc == 4);
    /* The C library takes a signal of its own (33) for itself when a process has its first thread. */
    CHECK(pthread_create(&first, NULL, nothing, NULL) == 0 && pthread_join(first, NULL) == 0);
    setlocale(LC_ALL, "C.UTF-8");
    umask(027);
    look(&before);
    int threads = entries("/proc/self/task"), files = entries("/proc/self/fd");
    int32_t code = call_named(argv[1])(argv[2], strlen(argv[2]), NULL, NULL, NULL, &result, &error);
    /* The kernel lists a thread for some microseconds after it was joined. */
    struct timespec moment = {0, 1000000};
    for (int i = 0; i < 50 && entries("/proc/self/task") > threads; i++) nanosleep(&moment, NULL);
    CHECK(entries("/proc/self/task") == threads);
    CHECK(entries("/proc/self/fd") == files);
    look(&after);
    if (strcmp(before.signals, after.signals) != 0) fprintf(stderr, "%s%s", before.signals, after.signals);
    CHECK(strcmp(before.signals, after.signals) == 0);
    CHECK(strcmp(before.folder, after.folder) == 0);
    CHECK(strcmp(before.locale, after.locale) == 0);
    CHECK(before.environment == after.environment);
    CHECK(before.mask == after.mask);
    CHECK(drop(code, &result, &error) == (int32_t)strtol(argv[3], NULL, 10));
    return 0;
}
