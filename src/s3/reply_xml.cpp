#include "s3/reply_xml.hpp"

#include <expat.h>

#include <charconv>
#include <memory>

#include "base/percent_code.hpp"

namespace chandler::s3 {
namespace {

// Deeper than any document of S3's; nothing here recurses, it only bounds the path.
constexpr std::size_t kDeepest = 16;
constexpr std::size_t kLongestText = 1 << 16;

// Walks a document and hands over each element's path ("ListBucketResult/Contents/Key") and text when it
// ends.
template <class OnElement>
class Walk {
 public:
  explicit Walk(OnElement on_element) : on_element_(std::move(on_element)) {}

  bool over(std::string_view xml) {
    const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(XML_ParserCreate(nullptr),
                                                                              &XML_ParserFree);
    if (!parser || xml.size() > static_cast<std::size_t>(1) << 30) return false;
    parser_ = parser.get();
    XML_SetUserData(parser_, this);
    XML_SetElementHandler(
        parser_, [](void* self, const char* name, const char**) { static_cast<Walk*>(self)->begin(name); },
        [](void* self, const char*) { static_cast<Walk*>(self)->end(); });
    XML_SetCharacterDataHandler(parser_, [](void* self, const char* text, int size) {
      static_cast<Walk*>(self)->text({text, static_cast<std::size_t>(size)});
    });
    // S3 declares no document type; entities are how documents blow up.
    XML_SetStartDoctypeDeclHandler(parser_, [](void* self, const char*, const char*, const char*, int) {
      XML_StopParser(static_cast<Walk*>(self)->parser_, XML_FALSE);
    });
    return XML_Parse(parser_, xml.data(), static_cast<int>(xml.size()), XML_TRUE) == XML_STATUS_OK && sound_;
  }

 private:
  void begin(std::string_view name) {
    if (!sound_ || depth_ == kDeepest) return fail();
    ++depth_;
    lengths_[depth_ - 1] = path_.size();
    if (!path_.empty()) path_ += '/';
    path_ += name;
    text_.clear();
  }
  void end() {
    if (!sound_) return;  // an element that ends where it begins is still told after a stop
    on_element_(std::string_view(path_), text_);
    path_.resize(lengths_[--depth_]);
    text_.clear();
  }
  void text(std::string_view more) {
    if (text_.size() + more.size() > kLongestText) return fail();
    text_ += more;
  }
  void fail() {
    sound_ = false;
    XML_StopParser(parser_, XML_FALSE);
  }

  OnElement on_element_;
  XML_Parser parser_ = nullptr;
  std::string path_, text_;
  std::size_t lengths_[kDeepest] = {};
  std::size_t depth_ = 0;
  bool sound_ = true;
};

}  // namespace

Result<ListPage> parse_list(std::string_view xml) {
  ListPage page;
  ListedObject object;
  bool is_list = false, sizes_known = true, names_known = true, truncated = false, sized = false;
  Walk walk([&](std::string_view path, const std::string& text) {
    if (path == "ListBucketResult/Contents/Key") {
      object.key = percent_decode(text, true).value_or("");
    } else if (path == "ListBucketResult/Contents/Size") {
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), object.bytes);
      sized = error == std::errc{} && end == text.data() + text.size() && object.bytes >= 0;
    } else if (path == "ListBucketResult/Contents/ETag") {
      object.etag = text;
    } else if (path == "ListBucketResult/Contents") {
      sizes_known = sizes_known && sized && !object.key.empty();
      page.objects.push_back(std::move(object));
      object = {};
      sized = false;
    } else if (path == "ListBucketResult/CommonPrefixes/Prefix") {
      page.prefixes.push_back(percent_decode(text, true).value_or(""));
      names_known = names_known && !page.prefixes.back().empty();
    } else if (path == "ListBucketResult/NextContinuationToken") {
      page.next = text;
    } else if (path == "ListBucketResult/IsTruncated") {
      truncated = text == "true";
    } else if (path == "ListBucketResult") {
      is_list = true;
    }
  });
  if (!walk.over(xml) || !is_list || !sizes_known || !names_known || (truncated && page.next.empty())) {
    return fail(ErrorCode::invalid_data, "the object store's list of objects cannot be read", {},
                "check that the endpoint is an S3 server and that no proxy changes its answers");
  }
  if (!truncated) page.next.clear();
  return page;
}

ErrorReply parse_error(std::string_view xml) {
  ErrorReply reply;
  Walk walk([&](std::string_view path, const std::string& text) {
    if (path == "Error/Code") reply.code = text;
    if (path == "Error/Message") reply.message = text;
    if (path == "Error/Region") reply.region = text;
  });
  return walk.over(xml) ? reply : ErrorReply{};
}

}  // namespace chandler::s3
