/* Preloaded into a program under test: every name it asks for port 443 is this machine, and port 443 is the one
   that LEAD_TO names; it ends with the test that started it. Built by led-program.ts; nothing of it is part of the
   product. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);
typedef int dial(int, const struct sockaddr *, socklen_t);

__attribute__((constructor)) static void end_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  lookup *next = (lookup *)dlsym(RTLD_NEXT, "getaddrinfo");
  int is_led = service != NULL && strcmp(service, "443") == 0;
  return next(is_led ? "127.0.0.1" : node, service, hints, found);
}

int connect(int socket, const struct sockaddr *address, socklen_t length) {
  dial *next = (dial *)dlsym(RTLD_NEXT, "connect");
  struct sockaddr_in there;
  if (address->sa_family != AF_INET || length < sizeof there) return next(socket, address, length);
  memcpy(&there, address, sizeof there);
  if (there.sin_port != htons(443)) return next(socket, address, length);
  const char *port = getenv("LEAD_TO");
  if (port == NULL) {
    errno = ECONNREFUSED;
    return -1;
  }
  there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  there.sin_port = htons(atoi(port));
  return next(socket, (struct sockaddr *)&there, sizeof there);
}
