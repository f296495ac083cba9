// The invariants that one file of the lake can be checked for by itself.
#pragma once

#include <string>
#include <vector>

#include "lake/layout.hpp"
#include "lake/storage.hpp"

namespace chandler::batch {

// Something that should not be so, in which file, and what to do about it.
struct Violation {
  std::string file;  // relative to the lake's root
  std::string what;
  std::string remedy;
  // Setting the file aside and making it anew is right: not for one that another version of the program
  // wrote, or that merely may not be opened.
  bool heals = true;
  friend auto operator<=>(const Violation&, const Violation&) = default;
};

struct CheckedFile {
  std::size_t rows = 0;
  std::size_t bytes = 0;
  std::vector<Violation> violations;
  // The file was written with another version of the Parquet library, so that its bytes cannot be compared
  // with those that this one would write. Everything else has been checked.
  bool of_another_encoder = false;
  // Another program has rewritten the file. Its rows have been checked, but whether they are the ones that
  // were written nothing can tell.
  bool rewritten = false;
};

// Reads the whole file and checks: it is Parquet of this table, schema version and column types; footer
// entries are as they were sealed, page checksums hold; rows are sorted, unique, possible and in the right
// partition; the content has the digest that the footer names; encoding the content again gives the same
// bytes, down to the last one. A file that is gone by now is no violation.
CheckedFile check_file(const lake::Storage& storage, const lake::Partition& partition);

// The content of a stored file, as chandler writes it today.
Result<lake::PendingFile> encode_again(const lake::Storage& storage, const lake::Partition& partition);

// What a user can do about a file of this table that is not as it should be.
std::string remedy_for(const lake::Partition& partition);

}  // namespace chandler::batch
