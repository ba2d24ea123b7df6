#include "protocol/core/ports.hpp"

namespace zonesync {

std::optional<std::map<std::string, Digest>> ChangeSource::type_digests_at(Revision,
                                                                           const View&) const {
  return std::map<std::string, Digest>{};
}

Result<StatePage> ChangeSource::state_at(Revision, const std::string&,
                                         const std::optional<ResourceKey>&, const View&,
                                         std::size_t) const {
  return fail(ErrorCode::unsupported, "this log cannot serve lists");
}

Status CutSink::list(const std::string&) {
  return fail(ErrorCode::unsupported, "this receiver takes no lists");
}

}  // namespace zonesync
