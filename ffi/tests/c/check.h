/* Checks that end the test with the place, what was expected and what was there. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tcpstack.h>

#define CHECK(condition) check_true(condition, #condition, __FILE__, __LINE__)
#define CHECK_EQ(actual, expected) \
    check_eq((long long)(actual), (long long)(expected), #actual, __FILE__, __LINE__)
/* The call does not return -1; the value is what it returned. */
#define CHECK_OK(call) check_ok((long long)(call), #call, __FILE__, __LINE__)
/* The call returns -1 with this errno. */
#define CHECK_FAILS(call, expected)                                       \
    do {                                                                  \
        long long result_ = (long long)(call); /* before errno is read */ \
        check_fails(result_, errno, expected, #call, __FILE__, __LINE__); \
    } while (0)

static inline void check_true(int condition, const char *text, const char *file, int line)
{
    if (condition) return;
    fprintf(stderr, "%s:%d: not so: %s (errno %d: %s; %s)\n", file, line, text, errno,
            strerror(errno), tcps_last_error());
    exit(1);
}

static inline void check_eq(long long actual, long long expected, const char *text,
                            const char *file, int line)
{
    if (actual == expected) return;
    fprintf(stderr, "%s:%d: %s is %lld, should be %lld (errno %d: %s; %s)\n", file, line, text,
            actual, expected, errno, strerror(errno), tcps_last_error());
    exit(1);
}

static inline int check_ok(long long result, const char *text, const char *file, int line)
{
    if (result != -1) return (int)result;
    fprintf(stderr, "%s:%d: %s failed (errno %d: %s; %s)\n", file, line, text, errno,
            strerror(errno), tcps_last_error());
    exit(1);
}

static inline void check_fails(long long result, int got, int expected, const char *text,
                               const char *file, int line)
{
    if (result == -1 && got == expected) return;
    if (result != -1) {
        fprintf(stderr, "%s:%d: %s is %lld, should fail with %s\n", file, line, text, result,
                strerror(expected));
    } else {
        fprintf(stderr, "%s:%d: %s failed with errno %d (%s; %s), should be %d (%s)\n", file, line,
                text, got, strerror(got), tcps_last_error(), expected, strerror(expected));
    }
    exit(1);
}

#endif
