/* SPDX-License-Identifier: ISC */
/* What AddressSanitizer has to be told (SANITIZE=1); does nothing without it. */
#ifndef SIM_SANITIZE_H
#define SIM_SANITIZE_H

void sanitize_create(void);
/* From here on the other one's stack is in use: the guest's after the simulation's, or the other way
 * round. */
void sanitize_change(void);

#endif
