#include "conformance/campaigns/disks.hpp"

#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "conformance/campaigns/nodes.hpp"

namespace zonesync::campaigns {
namespace {

namespace fs = std::filesystem;

// linux/ext4: EXT4_IOC_SHUTDOWN and its mode "no flush, not even of the journal".
constexpr unsigned long kShutdown = _IOR('X', 125, std::uint32_t);
constexpr std::uint32_t kNoLogFlush = 2;
constexpr std::uint64_t kDiskPiece = 64u << 20;
constexpr std::uint64_t kPage = 4096;
constexpr std::size_t kCopyPiece = 1u << 20;

std::string reason() { return std::generic_category().message(errno); }

Status lacking(const std::string& what) {
  return fail(ErrorCode::unsupported, what + ": " + reason());
}

/// Closes itself.
struct File {
  explicit File(int opened) : number(opened) {}
  ~File() {
    if (number >= 0) ::close(number);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int number;
};

/// A free loop device bound to the file, detached with its last user; the open device keeps it.
Result<std::string> attach(int image, File& device) {
  const File control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  if (control.number < 0) return fail(lacking("no loop device").error());
  for (int attempt = 0; attempt < 20; ++attempt) {  // another process may take the same one
    const int index = ::ioctl(control.number, LOOP_CTL_GET_FREE);
    if (index < 0) return fail(lacking("no free loop device").error());
    const std::string name = "/dev/loop" + std::to_string(index);
    const int opened = ::open(name.c_str(), O_RDWR | O_CLOEXEC);
    if (opened < 0) return fail(lacking(name).error());
    if (::ioctl(opened, LOOP_SET_FD, image) != 0) {
      ::close(opened);
      continue;
    }
    loop_info64 info{};
    info.lo_flags = LO_FLAGS_AUTOCLEAR;
    if (::ioctl(opened, LOOP_SET_STATUS64, &info) != 0) {
      ::ioctl(opened, LOOP_CLR_FD, 0);
      ::close(opened);
      return fail(lacking(name).error());
    }
    device.number = opened;
    return name;
  }
  return fail(ErrorCode::unsupported, "every loop device is taken by someone else");
}

}  // namespace

Status enter_private_mounts() {
  if (::unshare(CLONE_NEWNS) != 0) return lacking("a mount namespace needs root");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return lacking("private mounts");
  }
  return {};
}

// -- loop -----------------------------------------------------------------------------------------

namespace {

/// A file in memory that can be sealed; -1 = none.
int new_image(std::uint64_t bytes) {
  const int image = ::memfd_create("zonesync-disk", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (image >= 0 && ::ftruncate(image, static_cast<off_t>(bytes)) == 0) return image;
  if (image >= 0) ::close(image);
  return -1;
}

/// What is written of `from`, holes left out. False = `errno` says why.
bool copy_written(int from, int to) {
  std::string buffer(kCopyPiece, '\0');
  off_t data = 0;
  for (off_t hole = 0; (data = ::lseek(from, hole, SEEK_DATA)) >= 0;) {
    hole = ::lseek(from, data, SEEK_HOLE);
    while (data < hole) {
      const auto want = std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(hole - data));
      const ssize_t got = ::pread(from, buffer.data(), want, data);
      if (got <= 0 || ::pwrite(to, buffer.data(), static_cast<std::size_t>(got), data) != got) {
        return false;
      }
      data += got;
    }
  }
  return errno == ENXIO;  // no more data
}

}  // namespace

Result<LoopDisk> LoopDisk::create(std::string mount_point, std::uint64_t bytes) {
  const int image = new_image(bytes);
  if (image < 0) return fail(lacking("a disk in memory").error());
  LoopDisk disk(image, bytes, std::move(mount_point));
  const std::string maker =
      fs::exists("/usr/sbin/mkfs.ext4") ? "/usr/sbin/mkfs.ext4" : "/sbin/mkfs.ext4";
  if (!fs::exists(maker)) return fail(ErrorCode::unsupported, "mkfs.ext4 is not installed");
  const std::string file =
      "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(disk.image_);
  const Ran made = run({maker, "-q", "-F", "-E", "lazy_itable_init=0", file});
  if (made.code != 0) return fail(ErrorCode::unsupported, "mkfs.ext4: " + made.output);
  fs::create_directories(disk.mount_point_);
  return disk;
}

LoopDisk::LoopDisk(LoopDisk&& other) noexcept
    : image_(std::exchange(other.image_, -1)),
      bytes_(other.bytes_),
      mount_point_(std::move(other.mount_point_)),
      mounted_(std::exchange(other.mounted_, false)),
      failed_(other.failed_) {}

LoopDisk::~LoopDisk() {
  if (mounted_) ::umount2(mount_point_.c_str(), MNT_DETACH);
  if (image_ >= 0) ::close(image_);
}

Status LoopDisk::renew_device() {
  const int image = new_image(bytes_);
  if (image < 0 || !copy_written(image_, image)) {
    const Status failed = lacking("a new disk in memory");
    if (image >= 0) ::close(image);
    return failed;
  }
  ::close(image_);
  image_ = image;
  failed_ = false;
  return {};
}

Status LoopDisk::mount() {
  if (failed_) {
    if (Status status = renew_device(); !status) return status;
  }
  File device(-1);
  const auto name = attach(image_, device);
  if (!name) return fail(name.error());
  if (::mount(name->c_str(), mount_point_.c_str(), "ext4", MS_NOATIME, "") != 0) {
    return lacking("mounting " + *name);
  }
  mounted_ = true;
  return {};
}

Status LoopDisk::fail_device() {
  if (::fcntl(image_, F_ADD_SEALS, F_SEAL_WRITE) != 0) return lacking("sealing the disk");
  failed_ = true;
  return {};
}

Status LoopDisk::power_cut() {
  const File root(::open(mount_point_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::uint32_t mode = kNoLogFlush;
  if (root.number < 0 || ::ioctl(root.number, kShutdown, &mode) != 0) {
    return lacking("shutting the file system down");
  }
  return {};
}

Status LoopDisk::unmount() {
  if (!mounted_) return {};
  // A process that was just killed may hold its files for a moment more.
  const bool gone = eventually([&] { return ::umount(mount_point_.c_str()) == 0; });
  if (!gone) return fail(ErrorCode::storage_io, "cannot unmount: " + reason(), mount_point_);
  mounted_ = false;
  return {};
}

// -- memory ---------------------------------------------------------------------------------------

Result<SmallDisk> SmallDisk::create(std::string mount_point, std::uint64_t bytes) {
  fs::create_directories(mount_point);
  const std::string options = "mode=0700,size=" + std::to_string(bytes);
  SmallDisk disk(std::move(mount_point));
  if (::mount("tmpfs", disk.mount_point_.c_str(), "tmpfs", 0, options.c_str()) != 0) {
    return fail(lacking("mounting a tmpfs").error());
  }
  disk.mounted_ = true;
  return disk;
}

SmallDisk::SmallDisk(SmallDisk&& other) noexcept
    : mount_point_(std::move(other.mount_point_)),
      mounted_(std::exchange(other.mounted_, false)) {}

SmallDisk::~SmallDisk() {
  if (mounted_) ::umount2(mount_point_.c_str(), MNT_DETACH);
}

Status SmallDisk::fill_to(std::uint64_t free) {
  empty();
  const File file(
      ::open((mount_point_ + "/filler").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file.number < 0) return fail(ErrorCode::storage_io, "filling: " + reason(), mount_point_);
  // Others may take space meanwhile: what does not fit is tried again in smaller pieces.
  off_t end = 0;
  for (std::uint64_t piece = kDiskPiece; piece >= kPage;) {
    const std::uint64_t now = free_bytes();
    if (now <= free) return {};
    const auto size = static_cast<off_t>(std::min(piece, now - free));
    if (::posix_fallocate(file.number, end, size) == 0) {
      end += size;
    } else {
      piece /= 2;
    }
  }
  if (free_bytes() <= free + kPage) return {};
  return fail(ErrorCode::storage_io, "the disk cannot be filled", mount_point_);
}

void SmallDisk::empty() { ::unlink((mount_point_ + "/filler").c_str()); }

std::uint64_t SmallDisk::free_bytes() const {
  struct statvfs status {};
  if (::statvfs(mount_point_.c_str(), &status) != 0) return 0;
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

}  // namespace zonesync::campaigns
