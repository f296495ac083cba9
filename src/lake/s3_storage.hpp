// The lake in an object store over any client: open_s3_storage() makes the client from the environment.
#pragma once

#include "lake/storage.hpp"
#include "s3/client.hpp"

namespace chandler::lake {

// `prefix` without slashes at its ends. The clock must outlive the storage and its locks.
std::shared_ptr<Storage> make_s3_storage(std::string uri, std::string_view prefix,
                                         std::shared_ptr<s3::Client> client, Clock& clock,
                                         std::chrono::milliseconds lease, std::stop_token stop = {});

}  // namespace chandler::lake
