// Small file operations with errors that name the file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "protocol/model/result.hpp"

namespace zonesync::agent {

/// "open DIR/x: No space left on device" from errno. Code storage_io.
[[nodiscard]] tl::unexpected<Error> io_failure(std::string_view what,
                                               const std::filesystem::path& path, int error_number);

/// Whole regular file. Errors: not_found, too_large, invalid_argument (not a regular file),
/// storage_io.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path,
                                            std::size_t max_bytes);

/// The same for `dir / relative`, which may be a link only to a file inside `dir`, so that whoever
/// may write in `dir` cannot make us read what only we may. Errors: also forbidden (leads outside).
[[nodiscard]] Result<std::string> read_file_within(const std::filesystem::path& dir,
                                                   const std::filesystem::path& relative,
                                                   std::size_t max_bytes);

/// Makes a new file; it must not exist. Not synced.
[[nodiscard]] Status write_new_file(const std::filesystem::path& path, std::string_view content);

/// Replaces a file in one step: readers see the old or the new content. `durable` syncs the file
/// and its directory.
[[nodiscard]] Status replace_file(const std::filesystem::path& path, std::string_view content,
                                  bool durable);

/// mkdir -p with mode 0700.
[[nodiscard]] Status make_directories(const std::filesystem::path& path);

}  // namespace zonesync::agent
