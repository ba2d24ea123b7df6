#include "conformance/kills/defects.hpp"

#include <algorithm>
#include <array>

#include "conformance/simulator/mutants.hpp"

namespace zonesync::kills {
namespace {

// Newer bugs of the simulator need its swarm: crashes in the middle of a cut, patches, lists. Those
// of them that the suite looks for stand below too. A reviewer's are for both.
constexpr std::uint32_t kSharedMax = 72;

// Ids from 200 are the suite's own.
constexpr auto kOwn = std::to_array<Defect>({
    {201, kReviewer, "L", "FLOW-22", "the window is compared before a packet is counted", ""},
    {202, kReviewer, "K", "FLOW-14", "a refused version is left out of the stored digest",
     "verdict.digest-covers-refused"},
    {203, kReviewer, "R", "FLOW-26", "the hub does not report open rejects to a zone that is back",
     ""},
    {204, kReviewer, "L", "FLOW-07", "a Mark of idleness goes out inside a series of Parts", ""},
    {205, kReviewer, "D", "REP-06", "Remove of a resource that the zone refuses is ignored", ""},
    {206, kReviewer, "D", "VIEW-02", "Drop leaves what is staged of its class in the open cut",
     ""},
    {207, kReviewer, "S", "V1-06", "the next cut of lists does not wait for the last one's ack",
     "v1.client-waits-for-ack"},
    {208, kReviewer, "F", "CON-05", "the wait that Goodbye asks for is ignored",
     "client.retry-after"},
    {209, kReviewer, "P", "FLOW-30", "Marks of idleness come without the digest",
     "session.idle-hub-marks"},
    {210, kReviewer, "N", "FLOW-24", "verdicts that do not fit into one Ack are forgotten", ""},
    {211, kSuite, "D", "STG-02", "a place is gone on with although leaves behind it were trimmed",
     ""},
    {212, kSuite, "X", "STG-03", "changes are counted in a revision that lost some (both guards)",
     ""},
    {213, kSuite, "R", "STG-04", "the place where the sender goes on is not compared", ""},
    {214, kSuite, "X", "STG-05", "a place is named in a cut with a Drop", ""},
    {215, kSuite, "X", "STG-01", "the changes of all revisions are counted for the last one", ""},
    {216, kSuite, "R", "STG-05", "what was found to be wrong is named as staged", ""},
    {306, kReviewer, "P", "VIEW-05", "the parts of a change are sent to the end whatever its class",
     "view.rest-of-parts-stays"},
    {307, kReviewer, "L", "FLOW-20", "Removes do not count as received",
     "stage.client-not-after-repair"},
    {308, kReviewer, "P", "ZIP-06", "resources of sensitive types are compressed and patched",
     "zip.hub-secrets-whole"},
    {309, kReviewer, "N", "VIEW-02", "the rejects of what a Drop removed are not withdrawn", ""},
    {310, kReviewer, "F", "SES-07", "an instance that replaces its own session is a duplicate",
     "drain.many-reconnects"},
});

std::vector<Defect> collect() {
  std::vector<Defect> all;
  for (const sim::Mutant& mutant : sim::mutants()) {
    if (mutant.id > kSharedMax && !sim::of_reviewer(mutant)) continue;
    all.push_back({mutant.id, kCatalogue, mutant.cls, mutant.clause, mutant.text, {}});
  }
  all.insert(all.end(), kOwn.begin(), kOwn.end());
  std::sort(all.begin(), all.end(), [](const Defect& a, const Defect& b) { return a.id < b.id; });
  return all;
}

}  // namespace

const std::vector<Defect>& all_defects() {
  static const std::vector<Defect> all = collect();
  return all;
}

}  // namespace zonesync::kills
