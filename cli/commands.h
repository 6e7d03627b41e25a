/* commands.h: the commands of `quern`. Each takes its own argv (argv[0]: how it is called in messages, "quern
 * run") and returns the exit status of the process. */
#ifndef QUERN_CLI_COMMANDS_H
#define QUERN_CLI_COMMANDS_H

int command_run(int argc, char **argv);
int command_stream(int argc, char **argv);
int command_local(int argc, char **argv);
int command_fs(int argc, char **argv);
int command_ps(int argc, char **argv);
int command_kill(int argc, char **argv);
int command_wait(int argc, char **argv);
int command_log(int argc, char **argv);
int command_bench(int argc, char **argv);

/* The process of a job's quern_main(), started by the driver and by nobody else: `quern job FD SO N
 * [NAME FILE]... ARG...`, with N pairs of the name and the path of a file that was shipped. */
int command_job(int argc, char **argv);

/* The executor of a driver that the cluster hosts, started by an agent; and that driver, started by it. */
int command_host(int argc, char **argv);
int command_hosted(int argc, char **argv);

/* `quern leader MASTER`, for `quern bench`: prints what --master=MASTER means: "local AGENTS CORES", or
 * host:port of each of the masters that one of leads, a line each. 2: it means nothing; 3: ZooKeeper knows of
 * none. */
int command_leader(int argc, char **argv);

#endif
