// The two documents that an object store answers with. Bytes from a server are not believed: a document that
// is not what it should be is `invalid_data`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace chandler::s3 {

struct ListedObject {
  std::string key;
  std::int64_t bytes = 0;
  std::string etag;  // changes with the content
};

// One page of ListObjectsV2.
struct ListPage {
  std::vector<ListedObject> objects;
  std::vector<std::string> prefixes;  // where a delimiter was given, each ends in it
  std::string next;                   // continuation token; empty on the last page
};

// A ListBucketResult whose names are url-encoded (encoding-type=url).
Result<ListPage> parse_list(std::string_view xml);

struct ErrorReply {
  std::string code;     // "NoSuchBucket", …; empty if the document is none of S3's
  std::string message;  // the store's own words
  std::string region;   // where the store says which one it is
};
// Of any bytes at all: proxies answer in HTML.
ErrorReply parse_error(std::string_view xml);

}  // namespace chandler::s3
