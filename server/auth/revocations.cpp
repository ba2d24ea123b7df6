#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "server/auth/credentials.hpp"

namespace zonesync::auth {
namespace {

constexpr std::size_t kRevocationFileMaxBytes = kRevocationsMax * (kTokenIdMaxBytes + 2);

bool valid_token_id(std::string_view id) {
  if (id.empty() || id.size() > kTokenIdMaxBytes) return false;
  for (const char c : id) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_') return false;
  }
  return true;
}

tl::unexpected<Error> bad_token_id(std::string field) {
  return fail(ErrorCode::invalid_argument,
              "a token id (jti) has 1 to 64 characters of [A-Za-z0-9_-]", std::move(field));
}

std::string_view trim(std::string_view line) {
  line = line.substr(0, line.find('#'));
  const std::size_t first = line.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

Status RevocationList::load(const std::filesystem::path& file) {
  const auto text = read_public_file(file, kRevocationFileMaxBytes);
  std::unordered_set<std::string> ids;
  if (!text && text.error().code != ErrorCode::not_found) return fail(text.error());
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  for (std::size_t line_number = 1; !rest.empty(); ++line_number) {
    const std::size_t end = rest.find('\n');
    const std::string_view id = trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (id.empty()) continue;
    if (!valid_token_id(id)) return bad_token_id(file.string() + ":" + std::to_string(line_number));
    ids.emplace(id);
    if (ids.size() > kRevocationsMax) {
      return fail(ErrorCode::too_large,
                  "more than " + std::to_string(kRevocationsMax) +
                      " revoked tokens; rotate the signing key and empty the list",
                  file.string());
    }
  }
  const std::lock_guard lock(mutex_);
  ids_ = std::move(ids);
  return {};
}

Status RevocationList::revoke(std::string_view jti) {
  if (!valid_token_id(jti)) return bad_token_id("jti");
  const std::lock_guard lock(mutex_);
  if (ids_.size() >= kRevocationsMax && !ids_.contains(std::string(jti))) {
    return fail(ErrorCode::resource_exhausted,
                "the list of revoked tokens is full; rotate the signing key", "jti");
  }
  ids_.emplace(jti);
  return {};
}

bool RevocationList::revoked(std::string_view jti) const {
  const std::string id(jti);
  const std::lock_guard lock(mutex_);
  return ids_.contains(id);
}

std::size_t RevocationList::size() const {
  const std::lock_guard lock(mutex_);
  return ids_.size();
}

Status RevocationList::append(const std::filesystem::path& file, std::string_view jti) {
  if (!valid_token_id(jti)) return bad_token_id("jti");
  const auto io_error = [&](const char* action) {
    return fail(ErrorCode::storage_io,
                std::string("cannot ") + action + " the list of revoked tokens: " +
                    std::strerror(errno),
                file.string());
  };
  const int fd = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return io_error("open");
  // A line break first as well: the last line of a file edited by hand may lack one.
  const std::string line = "\n" + std::string(jti) + "\n";
  const ::ssize_t written = ::write(fd, line.data(), line.size());
  Status status;
  if (written != static_cast<::ssize_t>(line.size())) {
    status = io_error("write");
  } else if (::fsync(fd) != 0) {
    status = io_error("sync");
  }
  ::close(fd);
  if (!status) return status;
  const auto parent = file.parent_path();
  return sync_directory(parent.empty() ? "." : parent);
}

}  // namespace zonesync::auth
