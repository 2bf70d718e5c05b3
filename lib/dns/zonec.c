/* SPDX-License-Identifier: ISC */
/*
 * zonec, the zone compiler: a host program. Turns master files into one file of zone images, which
 * the dns app includes as it is.
 *
 *   zonec [-w FEATURE]... [-M DEPENDS] -o OUT [[ORIGIN=]FILE]...
 *
 * The initial origin of a file is ORIGIN, else the file's own name without its directory and
 * without ".zone" or ".db". The zone's name is the owner of its SOA. DEPENDS gets rules for make that name
 * the files read.
 */
#include "lib/dns/build.h"
#include "lib/dns/dns.h"
#include "lib/dns/filesource.h"
#include "lib/dns/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/*
 * What the compiler has to say of a zone, kept until it is done: it reads the records in the order of
 * the file and judges them in the order of their names.
 */
struct message {
    char *file, *text;
    unsigned file_number; /* of the files in the order in which they were first mentioned */
    unsigned line, number;
    enum dns_severity severity;
};

static struct messages {
    struct message *list;
    unsigned count, room, files;
} messages;

static void show(const struct message *m)
{
    if (m->line)
        fprintf(stderr, "%s:%u: ", m->file, m->line);
    else if (*m->file)
        fprintf(stderr, "%s: ", m->file);
    fprintf(stderr, "%s%s\n", m->severity == DNS_WARNING ? "warning: " : "", m->text);
}

static unsigned number_of(const char *file)
{
    for (unsigned i = messages.count; i-- > 0;) {
        if (!strcmp(messages.list[i].file, file))
            return messages.list[i].file_number;
    }
    return messages.files++;
}

static void report(void *ctx, enum dns_severity severity, const struct dns_place *place,
                   const char *text)
{
    struct message m = {.line = place->line, .number = messages.count, .severity = severity};

    (void)ctx;
    if (messages.count == messages.room) {
        messages.room = messages.room ? 2 * messages.room : 32;
        messages.list = realloc(messages.list, messages.room * sizeof(m));
    }
    m.file = strdup(place->file);
    m.text = strdup(text);
    if (!messages.list || !m.file || !m.text) {
        fprintf(stderr, "zonec: %s: out of memory\n", place->file);
        exit(1);
    }
    m.file_number = number_of(place->file);
    messages.list[messages.count++] = m;
}

static int compare_messages(const void *left, const void *right)
{
    const struct message *a = left, *b = right;

    if (a->file_number != b->file_number)
        return a->file_number < b->file_number ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

static void show_messages(void)
{
    qsort(messages.list, messages.count, sizeof(*messages.list), compare_messages);
    for (unsigned i = 0; i < messages.count; i++) {
        show(&messages.list[i]);
        free(messages.list[i].file);
        free(messages.list[i].text);
    }
    messages.count = messages.files = 0;
}

/* Splits [ORIGIN=]FILE; returns NULL, or what is wrong with the origin. */
static const char *split_argument(char *arg, char **file, uint8_t *origin)
{
    char *equals = strchr(arg, '='), *slash, text[256];
    size_t len;

    if (equals) {
        *equals = '\0';
        *file = equals + 1;
        return dns_name_parse(arg, NULL, origin);
    }
    *file = arg;
    slash = strrchr(arg, '/');
    snprintf(text, sizeof(text), "%s", slash ? slash + 1 : arg);
    len = strlen(text);
    if (len > 5 && !strcmp(text + len - 5, ".zone"))
        text[len - 5] = '\0';
    else if (len > 3 && !strcmp(text + len - 3, ".db"))
        text[len - 3] = '\0';
    return dns_name_parse(text, NULL, origin);
}

/* What the server that will serve the zones cannot do. */
static unsigned without;

static const struct {
    const char *word, *option;
    unsigned features;
} features[] = {
    {"dname", "has DNAME records, and CONFIG_DNS_DNAME is off", FEATURE_DNAME},
    {"dnssec", "is signed, and CONFIG_DNS_DNSSEC is off", FEATURES_SIGNED},
};

/* Can the server do what the zone needs? Says so if not. */
static bool can_serve(const char *file, const uint8_t *image)
{
    for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
        if (image[IMAGE_OFF_FEATURES] & without & features[i].features) {
            fprintf(stderr, "zonec: %s: the zone %s\n", file, features[i].option);
            return false;
        }
    }
    return true;
}

/* Says so when an earlier file holds the zone of this name: only one could be served. */
static bool is_new(const char *file, const char *name)
{
    static struct zone_made {
        struct zone_made *next;
        const char *file;
        char name[DNS_TEXT_MAX + 1];
    } * made;
    struct zone_made *z;

    for (z = made; z; z = z->next) {
        if (!strcasecmp(z->name, name)) {
            fprintf(stderr, "zonec: %s: %s is already the zone in %s\n", file, name, z->file);
            return false;
        }
    }
    z = calloc(1, sizeof(*z));
    if (!z)
        return true;
    z->next = made;
    z->file = file;
    snprintf(z->name, sizeof(z->name), "%s", name);
    made = z;
    return true;
}

static const char *output;
static FILE *summary; /* what is told of the zones once the output is there */

/* Says why a file could not be written; returns a negative error number. */
static int cannot_write(const char *name)
{
    int err = errno ? errno : EIO;

    fprintf(stderr, "zonec: %s: %s\n", name, strerror(err));
    return -err;
}

static int write_image(const uint8_t *image, size_t size, FILE *out)
{
    if (ferror(out))
        return -EIO; /* and the reason was told */
    errno = 0;
    return fwrite(image, 1, size, out) == size ? 0 : cannot_write(output);
}

static int compile(const struct dns_source *source, char *arg, FILE *out)
{
    const struct dns_sink sink = {.report = report};
    uint8_t origin[DNS_NAME_MAX + 1], *image;
    struct dns_zone zone;
    char text[DNS_TEXT_MAX + 1], *file;
    const char *wrong = split_argument(arg, &file, origin);
    size_t size;
    int err;

    if (wrong) {
        fprintf(stderr, "zonec: %s: %s\n", arg, wrong);
        return -EINVAL;
    }
    err = dns_zone_compile(source, file, origin, true, &sink, &image, &size);
    show_messages();
    if (err) {
        fprintf(stderr, "zonec: %s: no zone made%s%s\n", file, err == -EINVAL ? "" : ": ",
                err == -EINVAL ? "" : strerror(-err));
        return err;
    }
    dns_zone_open(&zone, image, size);
    dns_zone_text(&zone, text);
    fprintf(summary, "%s %u records, %u names, serial %u, %zu octets\n", text,
            dns_zone_records(&zone), dns_zone_names(&zone), dns_zone_serial(&zone), size);
    if (!is_new(file, text))
        err = -EEXIST;
    else if (!can_serve(file, image))
        err = -ENOTSUP;
    else
        err = write_image(image, size, out);
    free(image);
    return err;
}

/*
 * For make: the output depends on each file that was opened. The rule without a recipe for the file
 * itself lets make go on, and zonec complain, when that file is gone.
 */
static FILE *depends;

static void *open_noted(void *ctx, const char *name, const char *parent, char *opened, size_t size)
{
    void *handle = dns_file_source.open(ctx, name, parent, opened, size);

    if (handle && depends)
        fprintf(depends, "%s: %s\n%s:\n", output, opened, opened);
    return handle;
}

static int compile_all(int argc, char **argv, FILE *out)
{
    struct dns_source source = dns_file_source;
    int err = 0;

    source.open = open_noted;
    for (int i = 0; i < argc; i++) {
        int failed = compile(&source, argv[i], out);

        err = err ? err : failed;
    }
    return err;
}

/* The output is made beside its place and moved there when it is whole; but not to /dev/null. */
static const char *path_for(const char *name, char *temporary, size_t size)
{
    struct stat st;

    if (stat(name, &st) == 0 && !S_ISREG(st.st_mode))
        return name;
    snprintf(temporary, size, "%s.tmp", name);
    return temporary;
}

static FILE *create(const char *name)
{
    FILE *f = fopen(name, "wb");

    if (!f)
        fprintf(stderr, "zonec: %s: %s\n", name, strerror(errno));
    return f;
}

/* Closes F; ERR is what is known to be wrong. Returns it, or what is wrong now. */
static int finish(FILE *f, const char *name, int err)
{
    bool failed = ferror(f);

    errno = 0;
    failed |= fclose(f) != 0;
    return failed && !err ? cannot_write(name) : err;
}

/* Makes the output at PATH and, unless that is its place, moves it there. */
static int make_output(int argc, char **argv, const char *path, const char *depends_name)
{
    FILE *out = create(path);
    int err = out ? 0 : -EIO;

    if (out && depends_name) {
        depends = create(depends_name);
        err = depends ? 0 : -EIO;
    }
    if (!err)
        err = compile_all(argc, argv, out);
    if (out)
        err = finish(out, output, err);
    if (depends)
        err = finish(depends, depends_name, err);
    if (path == output)
        return err;
    if (!err && rename(path, output))
        err = cannot_write(output);
    if (err && out)
        remove(path);
    return err;
}

/* Takes -w FEATURE from the front of the arguments; false when there is none. */
static bool take_without(int *argc, char ***argv)
{
    unsigned taken = 0;

    if (*argc < 3 || strcmp((*argv)[1], "-w"))
        return false;
    for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
        if (!strcmp((*argv)[2], features[i].word))
            taken = features[i].features;
    }
    if (!taken) {
        fprintf(stderr, "zonec: -w %s: no such feature\n", (*argv)[2]);
        exit(2);
    }
    without |= taken;
    *argc -= 2;
    *argv += 2;
    return true;
}

static int run(int argc, char **argv)
{
    bool with_depends = argc > 3 && !strcmp(argv[1], "-M");
    char **rest = argv + (with_depends ? 3 : 1);
    int left = argc - (rest - argv), err;
    char temporary[4096], *text = NULL;
    size_t size;

    if (left < 2 || strcmp(rest[0], "-o")) {
        fprintf(stderr, "usage: zonec [-w FEATURE]... [-M DEPENDS] -o OUT [[ORIGIN=]FILE]...\n");
        return 2;
    }
    output = rest[1];
    summary = open_memstream(&text, &size);
    if (!summary) {
        fprintf(stderr, "zonec: out of memory\n");
        return 1;
    }
    err = make_output(left - 2, rest + 2, path_for(output, temporary, sizeof(temporary)),
                      with_depends ? argv[2] : NULL);
    if (fclose(summary) == 0 && !err)
        fputs(text, stdout);
    free(text);
    return err ? 1 : 0;
}

int main(int argc, char **argv)
{
    while (take_without(&argc, &argv))
        ;
    return run(argc, argv);
}
