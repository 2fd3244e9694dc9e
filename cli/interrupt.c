/*
 * interrupt.c: Ctrl-C and SIGTERM ask long work to stop after saving.
 */
#include "options.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t stop_asked;

/* The second one ends the program at once. */
static void on_signal(int signal_number)
{
	stop_asked = 1;
	signal(signal_number, SIG_DFL);
}

static bool asked(void *payload)
{
	(void)payload;
	return stop_asked != 0;
}

hardy_stop interrupt_stop(void)
{
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_handler = on_signal;
	action.sa_flags = SA_RESTART;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return (hardy_stop){asked, NULL};
}
