#include "s3/reply_xml.hpp"

#include <gtest/gtest.h>

namespace chandler::s3 {
namespace {

// As Amazon documents it (API reference, ListObjectsV2), with names url-encoded.
constexpr std::string_view kPage = R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Name>quotes</Name><Prefix>lake/</Prefix><KeyCount>2</KeyCount><MaxKeys>2</MaxKeys>
  <IsTruncated>true</IsTruncated><NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>
  <Contents><Key>lake/symbol%3DBTCUSDT/part.parquet</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>
    <ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag><Size>434234</Size><StorageClass>STANDARD</StorageClass></Contents>
  <Contents><Key>lake/a+b%2Bc</Key><ETag>"0"</ETag><Size>0</Size></Contents>
  <CommonPrefixes><Prefix>lake/symbol%3DETH%2FUSDT/</Prefix></CommonPrefixes>
</ListBucketResult>)";

TEST(S3ReplyXml, APageOfAListingGivesNamesSizesTagsPrefixesAndWhereItGoesOn) {
  const auto page = parse_list(kPage);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->objects.size(), 2);
  EXPECT_EQ(page->objects[0].key, "lake/symbol=BTCUSDT/part.parquet");
  EXPECT_EQ(page->objects[0].bytes, 434'234);
  EXPECT_EQ(page->objects[0].etag, "\"fba9dede5f27731c9771645a39863328\"");
  EXPECT_EQ(page->objects[1].key, "lake/a b+c");
  ASSERT_EQ(page->prefixes.size(), 1);
  EXPECT_EQ(page->prefixes[0], "lake/symbol=ETH/USDT/");
  EXPECT_EQ(page->next, "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=");
}

TEST(S3ReplyXml, EveryShorterPageIsRefusedAndNotTakenForAShortList) {
  for (std::size_t size = 0; size + 1 < kPage.size(); ++size) {
    EXPECT_FALSE(parse_list(kPage.substr(0, size))) << size;
  }
}

TEST(S3ReplyXml, APageWithoutSizesOrWithoutTheTokenOfTheNextIsRefused) {
  EXPECT_FALSE(parse_list("<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>"));
  EXPECT_FALSE(
      parse_list("<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>"));
  EXPECT_FALSE(parse_list("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"));
  EXPECT_TRUE(parse_list("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"));
  EXPECT_FALSE(parse_list("<html><body>Sign in to the network</body></html>"));
}

TEST(S3ReplyXml, EntitiesDeepNestingAndEndlessTextEndTheParse) {
  EXPECT_FALSE(
      parse_list("<!DOCTYPE a [<!ENTITY x \"yyyyyyyyyyyyyyyy\">]><ListBucketResult>&x;</ListBucketResult>"));
  std::string deep, end;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  EXPECT_FALSE(parse_list(deep));
  EXPECT_FALSE(parse_list(
      "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a></a></a></a></a>"
      "</a></a></a></a>"));
  EXPECT_FALSE(parse_list("<ListBucketResult>" + std::string(1 << 20, 'x') + "</ListBucketResult>"));
}

TEST(S3ReplyXml, AnErrorIsReadWhereItIsOneAndIsEmptyOtherwise) {
  const ErrorReply error = parse_error(
      "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region is wrong</Message>"
      "<Region>eu-west-1</Region></Error>");
  EXPECT_EQ(error.code, "AuthorizationHeaderMalformed");
  EXPECT_EQ(error.region, "eu-west-1");
  EXPECT_EQ(parse_error("502 Bad Gateway").code, "");
  EXPECT_EQ(parse_error("<Error><Code>NoSuchKey</Code>").code, "");
}

}  // namespace
}  // namespace chandler::s3
