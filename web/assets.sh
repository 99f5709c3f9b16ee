#!/bin/sh
# Prints an assembler file that holds the given files, and the table of them that page.h declares:
#     sh web/assets.sh web/ui/index.html … > assets.S
# Pass it through the C preprocessor (cc -c assets.S). It holds data only, so it may claim that the
# stack is not executable and that every branch target is marked.
set -eu

cat <<'HEAD'
#if defined(__LP64__)
#define POINTER .quad
#define POINTER_ALIGN 8
#else
#define POINTER .long
#define POINTER_ALIGN 4
#endif
	.section .rodata
HEAD

n=0
for file; do
	name=$(basename "$file")
	case $name in
	*[!A-Za-z0-9._-]*)
		echo "assets.sh: $file: the name has a character that a path of the page may not have" >&2
		exit 1
		;;
	esac
	cat <<ASSET
.Lname$n:
	.asciz "$name"
	.balign 16
.Ldata$n:
	.incbin "$file"
.Lend$n:
	.byte 0
ASSET
	n=$((n + 1))
done

cat <<'TABLE'
	.section .data.rel.ro,"aw",%progbits
	.balign POINTER_ALIGN
	.globl page_assets
	.type page_assets, %object
page_assets:
TABLE
i=0
while [ "$i" -lt "$n" ]; do
	echo "	POINTER .Lname$i, .Ldata$i, .Lend$i"
	i=$((i + 1))
done
cat <<'TAIL'
	POINTER 0, 0, 0
	.size page_assets, . - page_assets
#if defined(__x86_64__)
	.section .note.gnu.property,"a",%note
	.balign 8
	.long 4, 16, 5
	.asciz "GNU"
	.long 0xc0000002, 4, 3, 0
#elif defined(__aarch64__)
	.section .note.gnu.property,"a",%note
	.balign 8
	.long 4, 16, 5
	.asciz "GNU"
	.long 0xc0000000, 4, 3, 0
#endif
	.section .note.GNU-stack,"",%progbits
TAIL
