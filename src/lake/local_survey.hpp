// The state of a lake in a folder, told without taking its lock and without changing anything: what `doctor`
// looks at.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace chandler::lake {

struct LocalSurvey {
  std::filesystem::path root;
  bool exists = false;
  Status readable;
  // Whether a file can be made in the root or, where that is not there yet, in the folder it would be made
  // in.
  Status writable;
  Result<std::uint64_t> free_bytes{0};  // for this user, on the disk of that folder
  std::vector<Error> writers;           // `locked`, one for each group of tables that is being written
  std::size_t unfinished = 0;           // files that a writer has not put in place: a present or a killed one
  std::int64_t unfinished_bytes = 0;
};

// To learn whether files can be written one is, whose name begins with a dot, and removed at once. usage: the
// address cannot be a lake's.
Result<LocalSurvey> survey_local_lake(std::string_view uri);

}  // namespace chandler::lake
