// Which libraries the program runs with: those that the dynamic linker found, which need not be those it was
// built with.
#pragma once

#include <string>
#include <vector>

namespace chandler::cli {

struct LibraryVersion {
  std::string name;
  std::string version;
};

// In the order of their weight. The header-only ones are as they were when the program was built.
std::vector<LibraryVersion> library_versions();

// "chandler 0.1.0", then a line per library.
std::string version_text(const std::string& version);

}  // namespace chandler::cli
