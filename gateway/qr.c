#include "qr.h"

#include <errno.h>
#include <qrcodegen/qrcodegen.h>
#include <stdbool.h>
#include <stdint.h>

/* Version 15 is 77 modules wide, which fits a terminal of 80 columns. The quiet zone should be four
 * modules, but readers do with two. */
enum { VERSION_MAX = 15, QUIET_MODULES = 2 };

static bool is_dark(const uint8_t *qr, int size, int x, int y)
{
	return x >= 0 && y >= 0 && x < size && y < size && qrcodegen_getModule(qr, x, y);
}

int qr_print(const char *text, FILE *out)
{
	uint8_t scratch[qrcodegen_BUFFER_LEN_FOR_VERSION(VERSION_MAX)];
	uint8_t qr[qrcodegen_BUFFER_LEN_FOR_VERSION(VERSION_MAX)];

	if (!qrcodegen_encodeText(text, scratch, qr, qrcodegen_Ecc_LOW, qrcodegen_VERSION_MIN,
		    VERSION_MAX, qrcodegen_Mask_AUTO, true)) {
		return -EMSGSIZE;
	}
	int size = qrcodegen_getSize(qr);
	for (int y = -QUIET_MODULES; y < size + QUIET_MODULES; y += 2) {
		/* Black on white, whatever the terminal's own colours are. */
		(void)fputs("\033[30;107m", out);
		for (int x = -QUIET_MODULES; x < size + QUIET_MODULES; x++) {
			bool upper = is_dark(qr, size, x, y);
			bool lower = is_dark(qr, size, x, y + 1);

			(void)fputs(upper ? lower ? "█" : "▀" : lower ? "▄" : " ", out);
		}
		(void)fputs("\033[0m\n", out);
	}
	return 0;
}
