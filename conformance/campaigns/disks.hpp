// Disks that campaigns may break: file systems of their own in a private mount namespace.
//
// Nothing is left behind whatever happens: the mounts end with the last process of the namespace,
// loop devices detach themselves with the last mount.
#pragma once

#include <cstdint>
#include <string>

#include "protocol/model/result.hpp"

namespace zonesync::campaigns {

/// Moves this process (and children started later) into a mount namespace of its own. Call it
/// before the first thread. Errors: unsupported (no privilege).
Status enter_private_mounts();

/// An ext4 file system in a file. Life cycle: create, mount, then power_cut and mount as often as
/// wanted. Thread rule: one thread.
class LoopDisk {
 public:
  /// `image` and `mount_point` are made. Errors: unsupported (no loop device, no mkfs.ext4).
  static Result<LoopDisk> create(std::string image, std::string mount_point, std::uint64_t bytes);
  LoopDisk(LoopDisk&& other) noexcept;
  LoopDisk& operator=(LoopDisk&&) = delete;
  ~LoopDisk();

  Status mount();
  /// From now on nothing reaches the disk, not even its journal: what was not synced is lost, every
  /// write fails. Errors: unsupported.
  Status power_cut();
  /// Processes that use it must have ended.
  Status unmount();
  [[nodiscard]] const std::string& path() const { return mount_point_; }

 private:
  LoopDisk(std::string image, std::string mount_point)
      : image_(std::move(image)), mount_point_(std::move(mount_point)) {}
  std::string image_;
  std::string mount_point_;
  bool mounted_ = false;
};

/// A file system in memory of a fixed size.
class SmallDisk {
 public:
  static Result<SmallDisk> create(std::string mount_point, std::uint64_t bytes);
  SmallDisk(SmallDisk&& other) noexcept;
  SmallDisk& operator=(SmallDisk&&) = delete;
  ~SmallDisk();

  /// Takes space until `free` bytes are left. Errors: storage_io.
  Status fill_to(std::uint64_t free);
  /// Gives it back.
  void empty();
  [[nodiscard]] std::uint64_t free_bytes() const;
  [[nodiscard]] const std::string& path() const { return mount_point_; }

 private:
  explicit SmallDisk(std::string mount_point) : mount_point_(std::move(mount_point)) {}
  std::string mount_point_;
  bool mounted_ = false;
};

}  // namespace zonesync::campaigns
