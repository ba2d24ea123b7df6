// One row per ZONESYNC_DEFECT(n). "bug N" is a row of the collected real bugs of xDS, Kuma, Istio
// and etcd; docs/simulation.md says where that list comes from.
#include <algorithm>
#include <array>

#include "conformance/simulator/mutants.hpp"

namespace zonesync::sim {
namespace {

constexpr auto kMutants = std::to_array<Mutant>({
    {1, "K", "4, 31", "FLOW-05", "a resume starts at the head: what was sent counts as held"},
    {2, "R", "19, 61", "FLOW-02", "every cursor is taken as valid"},
    {3, "A", "46, 52", "FLOW-21", "a sent Mark counts as acknowledged"},
    {4, "L", "10, 54", "FLOW-22", "a packet larger than the window is never sent"},
    {5, "D", "61", "FLOW-02", "cursors below the tombstone floor resume (both guards)"},
    {6, "D", "61, 62", "FLOW-12", "cuts end below the trim floor (both guards)"},
    {7, "P", "32", "FLOW-12", "a full cut may end before the head it began with"},
    {8, "S", "39", "P3", "every reconnect sends everything"},
    {9, "L", "45", "FLOW-07", "a series of Parts that waits for credit starts again"},
    {10, "N", "20, 47", "FLOW-04", "bytes that are ignored before an Intent return no credit"},
    {11, "A", "52", "FLOW-21", "an Ack names what arrived instead of what is durable"},
    {12, "X", "13, 50", "FLOW-32", "after a Hold everything is asked for again at once"},
    {13, "X", "50", "FLOW-32", "a full disk holds for ever"},
    {16, "F", "55, 56", "SES-08", "any tick counts as a sign of life"},
    {17, "N", "62", "SES-09", "Sync goes out before the changes it stands for"},
    {18, "N", "62", "SES-09", "Synced is answered before the cuts are durable"},
    {19, "L", "37, 54", "FLOW-22", "acks wait while own data is in flight"},
    {21, "R", "19", "FLOW-02", "a cursor beyond the end of its era is valid"},
    {22, "D", "64", "FLOW-09", "a zone gets its own resources back"},
    {23, "P", "38, 57", "FLOW-09", "resources that stay home travel"},
    {24, "D", "33", "FLOW-05", "the hot tail loses removals that follow updates"},
    {25, "P", "32, 38", "FLOW-13", "digests of the past are those of the head"},
    {26, "L", "10, 45", "FLOW-05", "more than twenty waiting segments lose one"},
    {27, "D", "61", "FLOW-02", "trimming takes the newest removals too"},
    {28, "R", "19, 20", "FLOW-02", "a log that is opened again keeps its era"},
    {31, "X", "51", "FLOW-24", "a refused version takes the accepted one away"},
    {32, "D", "30, 31", "FLOW-05", "a refused resource is never removed"},
    {33, "A", "52, 53", "FLOW-31", "a cut that the disk refused is acknowledged"},
    {34, "X", "29, 51", "FLOW-25", "one refused resource drops what stood before it in the cut"},
    {35, "K", "51", "FLOW-24", "a refused version is not kept"},
    {36, "D", "12, 49", "FLOW-16", "a full cut of a partial log removes what it does not name"},
    {37, "D", "49", "FLOW-17", "the zone's mass-delete guard is off"},
    {38, "R", "20", "FLOW-04", "an Intent keeps what was staged for the older one"},
    {39, "X", "24", "FLOW-26", "open rejects are not reported after Welcome"},
    {40, "D", "58, 63", "ordering", "removals reach the application first"},
    {41, "X", "35", "FLOW-26", "rejects that a full cut removed stay listed"},
    {42, "D", "42", "FLOW-06", "a zone's resource enters a class without leaving the old one"},
    {43, "L", "45", "P6", "a publication that failed blocks those behind it"},
    {44, "V", "60", "SES-06", "an older zone does not learn types it was not built with"},
    {45, "R", "27", "FLOW-01", "the cursor is forgotten when a connect failed before"},
    {47, "F", "57", "SES-01", "the zone of Hello need not be the one of the credential"},
    {48, "V", "60", "SES-04", "a peer of another protocol version is served"},
    {49, "F", "55", "SES-07", "an instance that was replaced may return (both sides)"},
    {50, "F", "55", "SES-07", "a new instance keeps the old generation"},
    {51, "F", "55", "FLOW-18", "up cuts pass without fence and cursor (three guards)"},
    {52, "N", "36, 44", "FLOW-18", "up cuts pass wherever they start"},
    {53, "X", "53", "FLOW-14", "pieces of an up cut may be missing"},
    {54, "D", "49, 64", "FLOW-16", "a zone's partial log removes at the hub"},
    {55, "D", "49", "FLOW-17", "the hub's mass-delete guard is off"},
    {56, "D", "35, 42", "FLOW-24", "a removed resource leaves its reject behind"},
    {57, "X", "29, 51", "FLOW-25", "one refused resource of a zone drops those behind it"},
    {58, "R", "24, 30", "FLOW-24", "a restarted hub forgets what it refused"},
    {59, "A", "53", "P2", "after a full disk the hub goes on with what was not written"},
    {60, "K", "43", "P1", "a group of writes does not see its own earlier ones"},
    {61, "A", "52", "P2", "writes are answered before they are durable"},
    {62, "F", "55, 56", "P9", "the end of an old session ends the new one's status"},
    {63, "L", "6, 8", "P6", "a failed group is never answered"},
    {64, "N", "35, 70", "P9", "the hub lists rejects of versions that are gone (both ways)"},
    {65, "D", "42", "FLOW-06", "a hub's resource enters a class without leaving the old one"},
    {70, "S", "39", "P3", "a resume scans from the beginning"},
    {71, "X", "35", "FLOW-24", "an accepted version leaves the reject of another log listed"},
    {72, "R", "31, 61", "FLOW-19", "pieces of a cut that never ended are taken for the cursor's"},
    {73, "K", "42", "STG-02", "a cut that was staged in another view is resumed"},
    {77, "R", "20, 61", "STG-07", "a stage that continues another cursor is taken over"},
    {78, "A", "46, 52", "STG-01", "a place names the change behind what is stored"},
    {79, "A", "52, 53", "STG-08", "what a full disk did not take counts as staged"},
    {80, "D", "31", "V1-02", "v1: what a list does not name stays"},
    {81, "D", "33", "V1-02", "v1: a type in which only removals happened is not listed"},
    {82, "P", "32, 38", "VIEW-04", "v1: types in which two views differ are not listed"},
    {90, "P", "32", "ZIP-13", "a full answer has patches"},
    {91, "X", "13, 50", "ZIP-16", "a patch that failed does not end patches"},
    {92, "L", "10, 54", "FLOW-22", "credit counts what a packet was before compression"},
    // Those that the conformance suite looks for under the same numbers.
    {211, "D", "61", "STG-02", "a cut is resumed although leaves behind its place were trimmed"},
    {212, "K", "4, 61", "STG-03", "changes of a trimmed revision are counted (both guards)"},
    {215, "K", "4, 31", "STG-01", "a place counts the changes of all revisions"},
    // Of a reviewer who had not read the simulator; the last word is what told on it at first.
    {301, "K", "4, 31", "STG-03", "a resumed cut goes on behind a revision that came only in part",
     "P1: the digest differed although nothing was damaged"},
    {302, "P", "49", "FLOW-16", "what becomes unconfirmed at the hub stays in its digest",
     "P1: the hub's digest of the zone differs"},
    {303, "X", "51", "FLOW-24", "of two refused versions in a row the first one counts as accepted",
     "P4: another version than the last accepted one is active"},
    {304, "D", "30", "REP-06", "the application is not told what a repair removed",
     "P5: the application sees too much"},
    {305, "F", "52, 55", "SES-07", "only a zone's first generation is written, later ones are not",
     "SES-07: a generation has two instances, or an old one is back"},
});

}  // namespace

std::span<const Mutant> mutants() { return kMutants; }

const Mutant* mutant_of(std::uint32_t id) {
  const auto found = std::find_if(kMutants.begin(), kMutants.end(),
                                  [id](const Mutant& mutant) { return mutant.id == id; });
  return found == kMutants.end() ? nullptr : &*found;
}

}  // namespace zonesync::sim
