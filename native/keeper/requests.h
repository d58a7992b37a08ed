/* What the daemon asks for. */
#ifndef KEEPER_REQUESTS_H
#define KEEPER_REQUESTS_H

#include "state.h"

/* Does what one message asks and answers it with the same type and sequence. The message's descriptor stays the caller's. */
void requests_handle(struct keeper *keeper, const struct message *request);

#endif
