// GET /livez and /readyz. A zone that is behind does not make the hub unready.
#include "server/admin/handlers.hpp"

namespace zonesync::admin {
namespace {

std::string check_line(std::string_view name, bool good, std::string_view otherwise) {
  std::string line = good ? "[+] " : "[-] ";
  line += name;
  line += good ? std::string(": ok") : ": " + std::string(otherwise);
  return line + '\n';
}

}  // namespace

Answer get_livez(const Call&) { return text_response(200, "ok\n"); }

Answer get_readyz(const Call& call) {
  const Result<bool> verbose = query_flag(call, "verbose");
  if (!verbose) return refuse(verbose.error());
  const hub::HubInfo info = call.hub().info();
  const bool ready = info.ready && !info.draining;
  std::string body;
  if (*verbose) {
    body += check_line("hub", info.ready, "starting, stopping or stopped after a storage error");
    body += check_line("drain", !info.draining, "draining, sessions are moved away");
    body += check_line("disk", !info.writes_refused,
                       "almost full, writes are refused until there is space; zones go on");
    body += info.complete ? "[i] log: complete\n"
                          : "[i] log: partial, nobody deletes on its word\n";
  }
  body += ready ? "ok\n" : info.draining ? "draining\n" : "not ready\n";
  return text_response(ready ? 200 : 503, std::move(body));
}

}  // namespace zonesync::admin
