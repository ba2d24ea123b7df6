#include "conformance/simulator/sim_source.hpp"

namespace zonesync::sim {
namespace {

/// A view that wrongly admits what other zones keep between themselves and the hub.
View leaking(const View& view, const Environment& env) {
  ViewSpec spec = view.spec();
  spec.zone = "nobody";
  return View(spec, env.types);
}

}  // namespace

Result<ScanPage> SimSource::scan(Position after, const View& view, std::size_t max_bytes) const {
  const bool leaks = env_.has(Defect::source_leaks_scope);
  const bool from_start = after == Position::start();
  full_ = full_ || from_start;
  auto page = source_.scan(after, leaks ? leaking(view, env_) : view, max_bytes);
  if (!page) return page;
  if (page->entries.empty()) env_.probe(Probe::view_scan_skipped);
  auto& entries = page->entries;
  if (env_.has(Defect::source_skips_entry) && !full_ && entries.size() > 1) entries.pop_back();
  if (env_.has(Defect::source_splits_segment) && !full_ && entries.size() > 1 &&
      entries.back().position.index > 0) {
    entries.pop_back();
    page->next = entries.back().position;
    page->at_segment_end = true;
    page->at_head = false;
  }
  if (env_.has(Defect::source_hides_floor) && !full_) hide_floor(*page);
  return page;
}

/// Ends the page at a transaction, wherever the floor is. (A trimmed log names no segment end below
/// its floor, which hides the missing check: both guards are taken away.)
void SimSource::hide_floor(ScanPage& page) {
  page.trim_floor = Revision{};
  auto& entries = page.entries;
  if (entries.empty()) return;
  const Revision last = entries.back().position.revision;
  if (entries.front().position.revision == last) return;
  while (entries.back().position.revision == last) entries.pop_back();
  page.next = Position::end_of(entries.back().position.revision);
  page.at_segment_end = true;
  page.at_head = false;
}

/// The digest would reveal these bugs to the product itself, which then applies nothing: a guard
/// that hides the other, so both are taken away.
bool SimSource::digest_is_off() const {
  return !full_ && (env_.has(Defect::source_skips_entry) || env_.has(Defect::source_hides_floor) ||
                    env_.has(Defect::source_splits_segment) ||
                    env_.has(Defect::cursor_survives_rewind));
}

std::optional<Digest> SimSource::digest_at(Revision revision, const View& view) const {
  if (digest_is_off()) return std::nullopt;
  auto digest = source_.digest_at(revision, view);
  if (digest && env_.has(Defect::source_leaks_scope)) {
    return source_.digest_at(revision, leaking(view, env_));
  }
  return digest;
}

}  // namespace zonesync::sim
