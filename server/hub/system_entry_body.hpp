// A system entry is a resource whose spec is one JSON object: how it is made and read. Included by
// the files that know the fields; the rest of the hub sees records only.
#pragma once

#include <exception>
#include <string>
#include <utility>

#include <boost/json.hpp>

#include "protocol/wire/codec.hpp"

namespace zonesync::hub {

/// The upsert of `key` with `body` as its spec.
inline Change make_system(ResourceKey key, const boost::json::object& body) {
  const Class cls{key.type, "", std::string(kGlobalOrigin), ""};
  Resource resource;
  resource.key = std::move(key);
  resource.spec = boost::json::serialize(body);
  return wire::make_upsert(cls, resource);
}

/// Reads a system entry with `read(key, body)`; whatever Boost.JSON throws becomes storage_corrupt.
template <class Record, class Read>
Result<Record> read_system(const Change& change, Read read) {
  auto resource = wire::resource_of(change.payload);
  if (!resource) return fail(std::move(resource.error()));
  try {
    return read(resource->key, boost::json::parse(resource->spec).as_object());
  } catch (const std::exception& error) {
    return fail(ErrorCode::storage_corrupt,
                std::string("system entry is not readable: ") + error.what() +
                    "; the log was written by a newer version or is damaged",
                to_string(change.key));
  }
}

}  // namespace zonesync::hub
