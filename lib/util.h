/* SPDX-License-Identifier: ISC */
/*
 * Small things every layer may use. A leaf header: it includes nothing of ours.
 */
#ifndef LIB_UTIL_H
#define LIB_UTIL_H

#include <stddef.h>
#include <stdint.h>

/*
 * IS_ENABLED(CONFIG_X) is 1 when the option is set and 0 when not, so that a disabled feature is
 * still compiled (and then dropped) and cannot rot. A set option is defined as 1; pasting the 1
 * onto PLACEHOLDER_ yields a macro that inserts an argument, and the second argument is taken.
 */
#define PLACEHOLDER_1 0,
#define IS_ENABLED(option) IS_ENABLED_VALUE(option)
#define IS_ENABLED_VALUE(value) IS_ENABLED_PASTE(PLACEHOLDER_##value)
#define IS_ENABLED_PASTE(comma_or_junk) IS_ENABLED_SECOND(comma_or_junk 1, 0, 0)
#define IS_ENABLED_SECOND(junk, second, ...) second

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* Each argument may be computed twice: none may be a read of shared memory. */
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
/* n must be a power of two. */
#define ROUND_UP(x, n) (((x) + (n)-1) & ~((__typeof__(x))(n)-1))
#define ROUND_DOWN(x, n) ((x) & ~((__typeof__(x))(n)-1))
#define DIV_ROUND_UP(x, n) (((x) + (n)-1) / (n))

/* The struct of TYPE whose MEMBER is at pointer p. */
#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))

/* A sum of times, of which the largest means never. */
static inline uint64_t add_saturated(uint64_t a, uint64_t b)
{
    return a + b < a ? UINT64_MAX : a + b;
}

#define NSEC_PER_SEC UINT64_C(1000000000)
#define NSEC_PER_MSEC UINT64_C(1000000)
#define NSEC_PER_USEC UINT64_C(1000)

/* An invariant that only CONFIG_DEBUG_CHECKS looks after. Breaking it is an invalid opcode, which is
 * reported with a back-trace. */
#define DEBUG_CHECK(cond)                                                                          \
    do {                                                                                           \
        if (IS_ENABLED(CONFIG_DEBUG_CHECKS) && !(cond))                                            \
            __builtin_trap();                                                                      \
    } while (0)

/* In line even where code is to be small: what each packet passes through, and not in many places. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#endif
