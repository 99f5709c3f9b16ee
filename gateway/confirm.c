#include "confirm.h"

#include <stdio.h>
#include <string.h>

bool confirm_ask(const char *what, const char *word)
{
	char line[64];

	(void)fprintf(stderr, "%s\nType %s to go on: ", what, word);
	(void)fflush(stderr);
	if (fgets(line, sizeof line, stdin) == NULL) {
		line[0] = '\0';
	}
	line[strcspn(line, "\r\n")] = '\0';
	if (strcmp(line, word) == 0) {
		return true;
	}
	(void)fprintf(stderr, "\ncamgate: nothing was done; --yes goes on without asking\n");
	return false;
}
