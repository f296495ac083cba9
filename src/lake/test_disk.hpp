// For tests: a disk in memory beneath a lake, which keeps apart what has been written and what would still be
// there after a power cut, and which fails on purpose. One seed gives the same failures again, as long as its
// calls come from one thread at a time.
//
// It promises no more than POSIX does. Content is on the disk when its file was synced, a name when its
// folder was; of the rest, a power cut keeps any part in any order, and of a file's content any sectors. A
// failed sync loses what it should have written, and the next one does not tell (as Linux has it).
#pragma once

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "base/random.hpp"
#include "lake/file_system.hpp"

namespace chandler::lake::testing {

// Probabilities per call, of which any number may be set.
struct DiskFaults {
  double interrupted = 0;  // EINTR, of any call that may say so
  double partial = 0;      // a read or write does less than it was asked for
  double no_space = 0;     // ENOSPC: write, create, make_folder
  double write_error = 0;  // EIO: write, rename, make_folder, unlink, and the writing behind the scenes
  double read_error = 0;   // EIO: open, read, list
  double sync_error = 0;   // EIO: sync, sync_all
  // The process dies in this call, counted from arm(): this and every later one fails and changes nothing.
  std::optional<std::uint64_t> dies_at = std::nullopt;
};

class TestDisk final : public FileSystem {
 public:
  explicit TestDisk(std::uint64_t seed) : random_(seed), root_(std::make_shared<Node>(true)) {}

  void arm(const DiskFaults& faults) {
    const std::lock_guard lock(mutex_);
    faults_ = faults;
    calls_ = 0;
    failed_ = 0;
  }
  void disarm() { arm({}); }
  std::uint64_t calls() const { return calls_; }  // since arm()
  std::uint64_t failed_calls() const { return failed_; }
  bool died() const { return died_; }

  // A new process after the old one was killed: what was written is there, locks and descriptors are not.
  void restart() {
    const std::lock_guard lock(mutex_);
    died_ = false;
    descriptors_.clear();
    faults_ = {};
  }

  // The same after the machine lost its power: what was not synced may be gone, or half there.
  void cut_power() {
    restart();
    const std::lock_guard lock(mutex_);
    const auto kind = random_.below(4);  // none of the names, all, a beginning, any
    const std::size_t beginning = names_.empty() ? 0 : random_.below(names_.size() + 1);
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (kind == 1 || (kind == 2 && i < beginning) || (kind == 3 && random_.chance(0.5))) keep(names_[i]);
    }
    names_.clear();
    std::set<Node*> seen;
    forget(*root_, seen);
  }

  int open(const char* path, int flags, mode_t) override {
    const std::lock_guard lock(mutex_);
    if (fails(faults_.read_error, EIO) || interrupted()) return -1;
    const auto [folder, name] = parent_of(path);
    if (!folder) return -1;
    std::shared_ptr<Node> node = name.empty() ? root_ : child(*folder, name);
    if (!node) {
      if ((flags & O_CREAT) == 0) return error(ENOENT);
      if (fails(faults_.no_space, ENOSPC)) return -1;
      node = std::make_shared<Node>(false);
      if (!dying(0.5)) {
        folder->names[name] = node;
        names_.push_back({nullptr, {}, folder, name, node});
      }
      if (died_) return error(EIO);
    } else if (node->is_folder != ((flags & O_DIRECTORY) != 0)) {
      return error(node->is_folder ? EISDIR : ENOTDIR);
    } else if ((flags & O_TRUNC) != 0) {
      node->content.clear();
      node->lost = false;
    }
    descriptors_[++last_descriptor_] = {std::move(node), write_errors_, false};
    return last_descriptor_;
  }

  int close(int fd) override {
    const std::lock_guard lock(mutex_);
    descriptors_.erase(fd);
    return died_ ? error(EIO) : 0;
  }

  ssize_t write_at(int fd, const void* bytes, std::size_t count, std::int64_t offset) override {
    const std::lock_guard lock(mutex_);
    if (fails(faults_.no_space, ENOSPC) || fails(faults_.write_error, EIO) || interrupted()) return -1;
    Node& node = *descriptors_.at(fd).node;
    const bool dies = dying(0);
    if (count > 1 && (dies || random_.chance(faults_.partial))) count = 1 + random_.below(count - 1);
    const auto begin = static_cast<std::size_t>(offset);
    if (node.content.size() < begin + count) node.content.resize(begin + count);
    std::memcpy(node.content.data() + begin, bytes, count);
    node.lost = false;
    return dies ? error(EIO) : static_cast<ssize_t>(count);
  }

  ssize_t read_at(int fd, void* bytes, std::size_t count, std::int64_t offset) override {
    const std::lock_guard lock(mutex_);
    if (fails(faults_.read_error, EIO) || interrupted() || dies()) return -1;
    const std::string& content = descriptors_.at(fd).node->content;
    const auto begin = static_cast<std::size_t>(offset);
    if (begin >= content.size()) return 0;
    count = std::min(count, content.size() - begin);
    if (count > 1 && random_.chance(faults_.partial)) count = 1 + random_.below(count - 1);
    std::memcpy(bytes, content.data() + begin, count);
    return static_cast<ssize_t>(count);
  }

  std::int64_t size_of(int fd) override {
    const std::lock_guard lock(mutex_);
    return died_ ? error(EIO) : static_cast<std::int64_t>(descriptors_.at(fd).node->content.size());
  }

  int truncate(int fd, std::int64_t size) override {
    const std::lock_guard lock(mutex_);
    if (fails(faults_.write_error, EIO) || interrupted() || dies()) return -1;
    descriptors_.at(fd).node->content.resize(static_cast<std::size_t>(size));
    return 0;
  }

  int sync(int fd) override {
    const std::lock_guard lock(mutex_);
    if (interrupted()) return -1;
    const auto node = descriptors_.at(fd).node;
    if (fails(faults_.sync_error, EIO)) {
      if (!died_) lose(*node);
      return -1;
    }
    if (dies()) return -1;
    if (node->is_folder) {
      std::erase_if(names_, [&](const Name& name) {
        const bool here = name.from == node || name.to == node;
        if (here) keep(name);
        return here;
      });
    } else if (!node->lost) {
      node->on_disk = node->content;
    }
    return 0;
  }

  int sync_all(int fd) override {
    const std::lock_guard lock(mutex_);
    if (interrupted()) return -1;
    Open& open = descriptors_.at(fd);
    std::set<Node*> seen;
    if (fails(faults_.sync_error, EIO)) {
      if (!died_) each_file(*root_, seen, [this](Node& node) { lose(node); });
      return -1;
    }
    if (dies()) return -1;
    const bool failed_before = open.write_errors != write_errors_;
    open.write_errors = write_errors_;
    each_file(*root_, seen, [](Node& node) {
      if (!node.lost) node.on_disk = node.content;
    });
    for (const Name& name : names_) keep(name);
    names_.clear();
    return failed_before ? error(EIO) : 0;
  }

  // What fails here is told to those only who had the file system open already.
  void start_writing(int fd) override {
    const std::lock_guard lock(mutex_);
    Node& node = *descriptors_.at(fd).node;
    if (fails(faults_.write_error, EIO)) {
      if (died_) return;
      lose(node);
      ++write_errors_;
    } else if (!died_ && random_.chance(0.5)) {
      node.on_disk = node.content;
    }
  }

  int lock(int fd) override {
    const std::lock_guard lock(mutex_);
    if (died_) return error(EIO);
    Open& open = descriptors_.at(fd);
    for (const auto& [other, held] : descriptors_) {
      if (other != fd && held.locked && held.node == open.node) return error(EWOULDBLOCK);
    }
    open.locked = true;
    return 0;
  }

  int rename(const char* from, const char* to) override {
    const std::lock_guard lock(mutex_);
    if (fails(faults_.write_error, EIO)) return -1;
    const auto [source, name] = parent_of(from);
    if (!source) return -1;
    const auto [target, new_name] = parent_of(to);
    if (!target) return -1;
    const auto node = child(*source, name);
    if (!node) return error(ENOENT);
    if (const auto old = child(*target, new_name); old && old->is_folder != node->is_folder)
      return error(old->is_folder ? EISDIR : ENOTDIR);
    if (!dying(0.5)) {
      source->names.erase(name);
      target->names[new_name] = node;
      names_.push_back({source, name, target, new_name, node});
    }
    return died_ ? error(EIO) : 0;
  }

  int unlink(const char* path) override { return remove_node(path, false); }
  int remove_folder(const char* path) override { return remove_node(path, true); }

  int make_folder(const char* path, mode_t) override {
    const std::lock_guard lock(mutex_);
    if (fails(faults_.no_space, ENOSPC) || fails(faults_.write_error, EIO)) return -1;
    const auto [folder, name] = parent_of(path);
    if (!folder) return -1;
    if (child(*folder, name)) return error(EEXIST);
    if (!dying(0.5)) {
      const auto made = std::make_shared<Node>(true);
      folder->names[name] = made;
      names_.push_back({nullptr, {}, folder, name, made});
    }
    return died_ ? error(EIO) : 0;
  }

  int list(const char* path, bool with_sizes, std::vector<FolderEntry>& entries) override {
    const std::lock_guard lock(mutex_);
    if (fails(faults_.read_error, EIO) || dies()) return -1;
    const auto node = find(path);
    if (!node) return error(ENOENT);
    if (!node->is_folder) return error(ENOTDIR);
    for (const auto& [name, entry] : node->names) {
      const auto bytes = static_cast<std::int64_t>(with_sizes ? entry->content.size() : 0);
      entries.push_back({name, entry->is_folder, bytes});
    }
    for (std::size_t i = entries.size(); i > 1; --i) std::swap(entries[i - 1], entries[random_.below(i)]);
    return 0;
  }

  EntryKind kind_of(const char* path) override {
    const std::lock_guard lock(mutex_);
    if (died_) return EntryKind::none;
    const auto node = find(path);
    if (!node) return EntryKind::none;
    return node->is_folder ? EntryKind::folder : EntryKind::file;
  }

  // Every file by its path, dotted ones too; `on_disk`: as a power cut that spares nothing would leave it.
  std::map<std::string, std::string> files(bool on_disk = false) const {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::string> all;
    collect(*root_, "", on_disk, all);
    return all;
  }

 private:
  struct Node {
    explicit Node(bool folder) : is_folder(folder) {}
    bool is_folder;
    std::string content, on_disk;
    bool lost = false;  // a sync has failed: the kernel thinks that the content is on the disk
    std::map<std::string, std::shared_ptr<Node>> names, names_on_disk;
  };
  // A change of names that is not on the disk yet: node gets its name `to_name` in `to` (if there is one) and
  // loses the other.
  struct Name {
    std::shared_ptr<Node> from;
    std::string from_name;
    std::shared_ptr<Node> to;
    std::string to_name;
    std::shared_ptr<Node> node;
  };
  struct Open {
    std::shared_ptr<Node> node;
    std::uint64_t write_errors = 0;  // seen when it was opened
    bool locked = false;
  };

  static int error(int number) {
    errno = number;
    return -1;
  }

  // Counts the call; whether the process dies in it.
  bool dies() {
    if (died_) {
      errno = EIO;
      return true;
    }
    if (++calls_ != faults_.dies_at) return false;
    died_ = true;
    errno = EIO;
    return true;
  }
  // As dies(), for a call that may have had its effect by then: true if it has none.
  bool dying(double effect) { return dies() && !random_.chance(effect); }

  bool fails(double probability, int number) {
    if (died_) {
      errno = EIO;
      return true;
    }
    if (!random_.chance(probability)) return false;
    ++failed_;
    errno = number;
    return true;
  }
  bool interrupted() { return fails(faults_.interrupted, EINTR); }

  static void lose(Node& node) {
    if (node.content != node.on_disk) node.lost = true;
  }

  static void keep(const Name& name) {
    if (name.from) {
      const auto it = name.from->names_on_disk.find(name.from_name);
      if (it != name.from->names_on_disk.end() && it->second == name.node) name.from->names_on_disk.erase(it);
    }
    if (name.to) name.to->names_on_disk[name.to_name] = name.node;
  }

  int remove_node(const char* path, bool is_folder) {
    const std::lock_guard lock(mutex_);
    if (fails(faults_.write_error, EIO)) return -1;
    const auto [folder, name] = parent_of(path);
    if (!folder) return -1;
    const auto node = child(*folder, name);
    if (!node) return error(ENOENT);
    if (node->is_folder != is_folder) return error(is_folder ? ENOTDIR : EISDIR);
    if (!node->names.empty()) return error(ENOTEMPTY);
    if (!dying(0.5)) {
      folder->names.erase(name);
      names_.push_back({folder, name, nullptr, {}, node});
    }
    return died_ ? error(EIO) : 0;
  }

  static std::shared_ptr<Node> child(const Node& folder, const std::string& name) {
    const auto it = folder.names.find(name);
    return it == folder.names.end() ? nullptr : it->second;
  }

  std::shared_ptr<Node> find(std::string_view path) const {
    std::shared_ptr<Node> node = root_;
    while (node && !path.empty()) {
      if (path.front() == '/') {
        path.remove_prefix(1);
        continue;
      }
      const std::string name(path.substr(0, path.find('/')));
      path.remove_prefix(name.size());
      node = child(*node, name);
    }
    return node;
  }

  // Null with errno set if there is no such folder.
  std::pair<std::shared_ptr<Node>, std::string> parent_of(std::string_view path) const {
    const auto slash = path.rfind('/');
    auto folder = find(path.substr(0, slash));
    if (!folder || !folder->is_folder) {
      errno = folder ? ENOTDIR : ENOENT;
      return {};
    }
    return {std::move(folder), std::string(path.substr(slash + 1))};
  }

  template <class Work>
  static void each_file(Node& folder, std::set<Node*>& seen, const Work& work) {
    for (const auto* names : {&folder.names, &folder.names_on_disk}) {
      for (const auto& [name, node] : *names) {
        if (!seen.insert(node.get()).second) continue;
        if (node->is_folder) {
          each_file(*node, seen, work);
        } else {
          work(*node);
        }
      }
    }
  }

  // What a power cut leaves of a folder.
  void forget(Node& folder, std::set<Node*>& seen) {
    folder.names = folder.names_on_disk;
    for (const auto& [name, node] : folder.names) {
      if (!seen.insert(node.get()).second) continue;
      if (node->is_folder) {
        forget(*node, seen);
      } else {
        if (node->content != node->on_disk) node->on_disk = torn(*node);
        node->content = node->on_disk;
        node->lost = false;
      }
    }
  }

  std::string torn(const Node& node) {
    constexpr std::size_t kSector = 512;
    std::string left = node.on_disk;
    const auto kind = random_.below(4);
    if (kind == 0) return left;
    if (kind == 1 && !node.lost) return node.content;
    left.resize(kind == 2 ? random_.below(node.content.size() + 1) : node.content.size());
    for (std::size_t i = 0; i < left.size(); i += kSector) {
      if (random_.chance(0.5)) left.replace(i, kSector, node.content, i, std::min(kSector, left.size() - i));
    }
    return left;
  }

  static void collect(const Node& folder, const std::string& prefix, bool on_disk,
                      std::map<std::string, std::string>& all) {
    for (const auto& [name, node] : on_disk ? folder.names_on_disk : folder.names) {
      if (node->is_folder) {
        collect(*node, prefix + "/" + name, on_disk, all);
      } else {
        all[prefix + "/" + name] = on_disk ? node->on_disk : node->content;
      }
    }
  }

  mutable std::mutex mutex_;
  Random random_;
  std::shared_ptr<Node> root_;
  std::vector<Name> names_;  // in order
  std::map<int, Open> descriptors_;
  int last_descriptor_ = 2;
  DiskFaults faults_;
  std::uint64_t calls_ = 0, failed_ = 0, write_errors_ = 0;
  bool died_ = false;
};
}  // namespace chandler::lake::testing
