/* SPDX-License-Identifier: ISC */
/*
 * The four memory functions that the compiler and every layer rely on, in general registers only:
 * the vector unit would cost a trap into Xen (it switches vector registers lazily), and newlib's
 * versions use byte-wise `rep` below 16 bytes and non-temporal stores from 256 bytes on, which put
 * a packet out of the cache just before the backend reads it.
 *
 * Up to 32 bytes: a few loads and stores of which the last ones overlap the first, so no loop and no
 * byte-wise rest. Beyond: `rep movsq` and `rep stosq`, eight bytes an instruction where instructions
 * are counted and a cache line or so a cycle in real processors. docs/libc.md has the numbers.
 */
#include <stddef.h>
#include <stdint.h>

#define SMALL_MAX 32

/* Unaligned access to any type's memory. */
typedef uint64_t __attribute__((may_alias, aligned(1))) word64;
typedef uint32_t __attribute__((may_alias, aligned(1))) word32;
typedef uint16_t __attribute__((may_alias, aligned(1))) word16;

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* Every load comes before the first store, so the ranges may overlap. */
static inline __attribute__((always_inline)) void move_small(char *d, const char *s, size_t n)
{
    if (n >= 8) {
        word64 a = *(const word64 *)s;
        word64 z = *(const word64 *)(s + n - 8);

        if (n > 16) {
            word64 b = *(const word64 *)(s + 8);
            word64 y = *(const word64 *)(s + n - 16);

            *(word64 *)(d + 8) = b;
            *(word64 *)(d + n - 16) = y;
        }
        *(word64 *)d = a;
        *(word64 *)(d + n - 8) = z;
    } else if (n >= 4) {
        word32 a = *(const word32 *)s;
        word32 z = *(const word32 *)(s + n - 4);

        *(word32 *)d = a;
        *(word32 *)(d + n - 4) = z;
    } else if (n) {
        char a = s[0], m = s[n / 2], z = s[n - 1];

        d[0] = a;
        d[n / 2] = m;
        d[n - 1] = z;
    }
}

/* From the end to the start: the destination lies above the source and overlaps it. */
static void move_backward(char *d, const char *s, size_t n)
{
    word64 head = *(const word64 *)s;

    for (; n > 8; n -= 8) {
        *(word64 *)(d + n - 8) = *(const word64 *)(s + n - 8);
        __asm__ volatile("" : : : "memory"); /* keep the compiler from calling memmove() for this */
    }
    *(word64 *)d = head;
}

void *memmove(void *dst, const void *src, size_t n)
{
    if (n <= SMALL_MAX) {
        move_small(dst, src, n);
    } else if ((uintptr_t)dst - (uintptr_t)src < n) {
        move_backward(dst, src, n);
    } else {
        word64 tail = *(const word64 *)((const char *)src + n - 8);
        void *d = dst;
        size_t words = (n - 1) / 8; /* the last one to eight bytes are in the tail */

        __asm__ volatile("rep movsq" : "+D"(d), "+S"(src), "+c"(words) : : "memory");
        *(word64 *)((char *)dst + n - 8) = tail;
    }
    return dst;
}

/* One function under both names: telling overlap apart costs three instructions. */
void *memcpy(void *restrict dst, const void *restrict src, size_t n)
    __attribute__((alias("memmove")));

void *memset(void *dst, int c, size_t n)
{
    uint64_t v = (uint8_t)c * UINT64_C(0x0101010101010101);
    char *d = dst;

    if (n > SMALL_MAX) {
        void *at = dst;
        size_t words = (n - 1) / 8;

        *(word64 *)(d + n - 8) = v;
        __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(v) : "memory");
    } else if (n >= 8) {
        *(word64 *)d = v;
        *(word64 *)(d + n - 8) = v;
        if (n > 16) {
            *(word64 *)(d + 8) = v;
            *(word64 *)(d + n - 16) = v;
        }
    } else if (n >= 4) {
        *(word32 *)d = (uint32_t)v;
        *(word32 *)(d + n - 4) = (uint32_t)v;
    } else if (n) {
        d[0] = d[n / 2] = d[n - 1] = (char)c;
    }
    return dst;
}

/* The order of eight bytes each: the first that differs decides, the most significant after a swap. */
static int compare_words(const void *a, const void *b)
{
    uint64_t x = *(const word64 *)a, y = *(const word64 *)b;

    if (x == y)
        return 0;
    return __builtin_bswap64(x) < __builtin_bswap64(y) ? -1 : 1;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *p = a, *q = b;
    size_t i = 0;

    if (n >= 8) {
        for (; i < n - 8; i += 8)
            if (*(const word64 *)(p + i) != *(const word64 *)(q + i))
                return compare_words(p + i, q + i);
        return compare_words(p + n - 8, q + n - 8); /* overlaps what is known to be equal */
    }
    for (; i < n; i++)
        if (p[i] != q[i])
            return p[i] - q[i];
    return 0;
}
