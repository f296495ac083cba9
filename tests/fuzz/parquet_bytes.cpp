// Partitions whose bytes are anything: the first byte says of which table, the rest is the file.
#include "lake_reads.hpp"

using namespace chandler;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  fuzz::read_partition(fuzz::partition_of(data[0]),
                       arrow::Buffer::FromString(std::string(fuzz::text_of(data + 1, size - 1))));
  return 0;
}
