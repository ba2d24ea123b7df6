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

/// An ext4 file system on a device in memory. Life cycle: create, mount, then power_cut or
/// fail_device, unmount and mount as often as wanted. Thread rule: one thread.
class LoopDisk {
 public:
  /// `mount_point` is made. Errors: unsupported (no loop device, no mkfs.ext4).
  static Result<LoopDisk> create(std::string mount_point, std::uint64_t bytes);
  LoopDisk(LoopDisk&& other) noexcept;
  LoopDisk& operator=(LoopDisk&&) = delete;
  ~LoopDisk();

  /// Behind a failure: a device that works again, with what the failed one held.
  Status mount();
  /// From now on nothing reaches the disk, not even its journal: what was not synced is lost, every
  /// write fails. Errors: unsupported.
  Status power_cut();
  /// From now on the device refuses every write, whole and at once; reading goes on. Nobody may be
  /// inside a sync meanwhile: Linux answers well to one whose journal commit is given up under it.
  /// (A device that runs out of space below the file system is no substitute: a loop device takes
  /// a write that was cut short for a good one.) Errors: unsupported.
  Status fail_device();
  /// Processes that use it must have ended.
  Status unmount();
  [[nodiscard]] const std::string& path() const { return mount_point_; }

 private:
  LoopDisk(int image, std::uint64_t bytes, std::string mount_point)
      : image_(image), bytes_(bytes), mount_point_(std::move(mount_point)) {}
  Status renew_device();
  int image_ = -1;
  std::uint64_t bytes_ = 0;
  std::string mount_point_;
  bool mounted_ = false;
  bool failed_ = false;
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
