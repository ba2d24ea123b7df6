// Every bound of the system with its default. docs/limits.md lists them with reasons and metrics.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace zonesync::limits {

using namespace std::chrono_literals;

// Messages and packets.
inline constexpr std::size_t kMessageMaxBytes = 1u << 20;            // hard, both directions
inline constexpr std::size_t kMessageTargetBytes = 256u << 10;       // what a sender fills
inline constexpr std::size_t kMessageBeforeHelloMaxBytes = 16u << 10;
inline constexpr std::size_t kPacketHeaderBytes = 16;
inline constexpr std::size_t kResourceMaxBytes = 8u << 20;           // travels in parts
inline constexpr std::size_t kPartBytes = 192u << 10;                // payload slice of one Part
// A change is a resource with its key, labels, tag and encoding.
inline constexpr std::size_t kChangeMaxBytes = kResourceMaxBytes + (32u << 10);

// Compression and patches (docs/protocol.md section 8).
inline constexpr std::size_t kCompressMinBytes = 1u << 10;           // smaller payloads go as is
inline constexpr std::size_t kCompressRatioMax = 64;                 // inflated / compressed
inline constexpr std::size_t kCompressWindowLogMax = 20;             // of a compressed packet
inline constexpr std::size_t kPatchMinBytes = 512;                   // of both versions
inline constexpr std::size_t kPatchWindowLogMax = 25;                // both versions in the window
inline constexpr std::size_t kInflatedMessageTargetBytes = 16u << 20;  // a sender's
inline constexpr std::size_t kInflatedMessageMaxBytes = 32u << 20;
inline constexpr std::size_t kPackedCacheBytes = 16u << 20;          // made once for all

inline constexpr std::size_t kFlatbufferMaxDepth = 16;
inline constexpr std::size_t kFlatbufferMaxTables = 100'000;

// Names and labels.
inline constexpr std::size_t kNameMaxBytes = 253;
inline constexpr std::size_t kZoneNameMaxBytes = 63;
inline constexpr std::size_t kLabelsMax = 64;
inline constexpr std::size_t kLabelsMaxBytes = 4u << 10;
inline constexpr std::size_t kRejectTextMaxBytes = 1u << 10;
inline constexpr std::size_t kTypeNameMaxBytes = 63;
inline constexpr std::size_t kTagMaxBytes = 5u << 10;                // projection of the labels
inline constexpr std::size_t kWordMaxBytes = 64;                     // stable words, features
inline constexpr std::size_t kReasonMaxBytes = 1u << 10;             // texts for people

// Vectors inside messages.
inline constexpr std::size_t kFeaturesMax = 64;
inline constexpr std::size_t kTypesMax = 1'000;
inline constexpr std::size_t kMeshesMax = 1'000;
inline constexpr std::size_t kVerdictsPerAckMax = 10'000;

// Repair by fingerprints (protocol.md §4.7).
inline constexpr std::size_t kRepairPrintsMax = 1'000'000;          // of one repair; more: full
inline constexpr std::size_t kRepairPrintsPerPacket = 4'096;         // 128 KiB

// Resource text (YAML, JSON).
inline constexpr std::size_t kFileMaxBytes = 64u << 20;                       // one file
inline constexpr std::size_t kDocumentMaxBytes = kResourceMaxBytes + (64u << 10);  // one document
inline constexpr std::size_t kDocumentMaxDepth = 64;
inline constexpr std::size_t kDocumentMaxNodes = 1'000'000;                   // aliases expanded
inline constexpr std::size_t kDocumentsMax = 100'000;                         // in one file

// Flow control (protocol.md §4.4).
inline constexpr std::uint64_t kFlowWindowBytes = 4u << 20;
inline constexpr std::uint64_t kUpFirstGrantBytes = 64u << 10;
inline constexpr std::uint64_t kUpCreditPoolBytes = 64u << 20;
inline constexpr auto kAckInterval = 10ms;

// Staging of a cut (protocol.md §4.3).
inline constexpr std::uint64_t kStageMemoryBytes = 64u << 20;        // the rest goes to disk
inline constexpr std::uint64_t kCutMaxBytes = std::uint64_t{4} << 30;

// Session timing.
inline constexpr auto kHandshakeTimeout = 10s;   // TLS + upgrade + Hello/Welcome
inline constexpr auto kIdleMarkInterval = 10s;   // an idle sender owes a Mark
inline constexpr auto kSilenceTimeout = 45s;     // no packet for that long = dead
inline constexpr auto kDigestInterval = 1s;
inline constexpr std::size_t kSyncOutstandingMax = 16;

// Transactions.
inline constexpr std::size_t kTransactionMaxChanges = 10'000;
inline constexpr std::size_t kTransactionMaxBytes = 4u << 20;
inline constexpr std::size_t kUpPieceMaxChanges = 1'000;
inline constexpr std::size_t kUpPieceMaxBytes = 1u << 20;
inline constexpr std::size_t kCommitQueueMaxRequests = 4'096;
inline constexpr std::size_t kCommitQueueMaxBytes = 64u << 20;
inline constexpr std::size_t kGroupCommitMaxChanges = 20'000;
inline constexpr std::size_t kGroupCommitMaxBytes = 8u << 20;
inline constexpr std::size_t kIdempotencyKeysMax = 10'000;
inline constexpr std::size_t kIdempotencyKeyMaxBytes = 128;

// Hub.
inline constexpr std::size_t kZonesMax = 4'096;
inline constexpr std::size_t kResourcesPerZoneMax = 50'000;
inline constexpr std::size_t kHotTailBytes = 16u << 20;
inline constexpr std::size_t kConnectionsMax = 10'000;
inline constexpr std::size_t kHttpBodyMaxBytes = 8u << 20;
inline constexpr std::size_t kHttpHeaderMaxBytes = 8u << 10;
inline constexpr std::size_t kTokenMaxBytes = 4u << 10;

// Guards (protocol.md §4.9).
inline constexpr std::size_t kMassDeleteMinKeys = 100;
inline constexpr unsigned kMassDeletePercent = 50;

// Reconnect.
inline constexpr auto kBackoffBase = 500ms;
inline constexpr auto kBackoffMax = 60s;
inline constexpr auto kBackoffAuth = 300s;       // slow regime after 401/403
inline constexpr auto kDuplicateZoneWindow = 300s;
inline constexpr std::uint32_t kDuplicateZoneChangesMax = 3;
inline constexpr auto kDuplicateZoneWait = 60s;

}  // namespace zonesync::limits
