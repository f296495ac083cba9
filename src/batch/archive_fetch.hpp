// One month or day of one symbol from the exchange's archive, and what has to be asked elsewhere because the
// archive does not have it, or has it wrong.
#pragma once

#include <optional>

#include "batch/page_fetch.hpp"

namespace chandler::batch {

struct ArchiveFetched {
  Fetched fetched;
  // What to ask for instead or in addition, all inside the piece: days where a month is not there or lacks
  // them, REST where a day is not there, a file fails its checks, or candles are missing inside one.
  std::vector<Piece> further;
  std::optional<Error> unreachable;  // the archive as a whole does not answer
};

// With KlineSource::archive nothing falls through to REST: what no archive has is unanswered.
ArchiveFetched fetch_from_archive(exchange::ArchiveClient& archive, const FetchTarget& target,
                                  const Piece& piece, KlineSource source, Timestamp now);

// The same piece without the archive.
ArchiveFetched without_archive(const FetchTarget& target, const Piece& piece, KlineSource source,
                               const Error& why);

}  // namespace chandler::batch
