/* shuffle_port.h: how an executor is told at which port to serve, where it may not take any. */
#ifndef QUERN_JOB_SHUFFLE_PORT_H
#define QUERN_JOB_SHUFFLE_PORT_H

/* A variable of its environment: a number from 1 to 65535. Not there: any port that is free. */
#define SHUFFLE_PORT_VARIABLE "QUERN_SHUFFLE_PORT"

#endif
