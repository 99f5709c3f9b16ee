/* The system calls that each right allows. Private to the sandbox. */
#ifndef CAMGATE_SANDBOX_CALLS_H
#define CAMGATE_SANDBOX_CALLS_H

/* Loads the filter for enum sandbox_right bits, for all threads of the process. 0 or -errno. */
int sandbox_calls_load(unsigned int rights);

#endif
