// The client against a TLS server that shares no code with it: POSIX sockets and OpenSSL.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "net/web_socket.hpp"

namespace chandler::net {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// A key and a certificate for "localhost", signed by itself.
struct Identity {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  std::unique_ptr<X509, decltype(&X509_free)> certificate{X509_new(), X509_free};

  Identity() {
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"),
                               -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(certificate.get(), names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
  }
};

std::string accept_key(const std::string& request) {
  const auto at = request.find("Sec-WebSocket-Key: ") + 19;
  const std::string text =
      request.substr(at, request.find("\r\n", at) - at) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[20];
  EVP_Digest(text.data(), text.size(), digest, nullptr, EVP_sha1(), nullptr);
  unsigned char encoded[32];
  const int length = EVP_EncodeBlock(encoded, digest, 20);
  return {reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(length)};
}

class WebSocketTls : public testing::Test {
 protected:
  WebSocketTls() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::listen(listener_, 4);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    ca_file_ =
        std::filesystem::temp_directory_path() / ("chandler_tls_test_" + std::to_string(::getpid()) + ".pem");
    FILE* file = std::fopen(ca_file_.c_str(), "w");
    PEM_write_X509(file, identity_.certificate.get());
    std::fclose(file);
    server_ = std::thread([this] { serve_one(); });
  }
  ~WebSocketTls() override {
    ::shutdown(listener_, SHUT_RDWR);
    server_.join();
    ::close(listener_);
    std::filesystem::remove(ca_file_);
  }

  // Says "hello" to one client and waits until it goes.
  void serve_one() {
    const int connection = ::accept(listener_, nullptr, nullptr);
    if (connection < 0) return;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    SSL_CTX_use_certificate(context.get(), identity_.certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), identity_.key.get());
    std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), SSL_free);
    SSL_set_fd(tls.get(), connection);
    if (SSL_accept(tls.get()) == 1) {
      std::string request;
      char chunk[1024];
      int n;
      while (request.find("\r\n\r\n") == std::string::npos &&
             (n = SSL_read(tls.get(), chunk, sizeof chunk)) > 0) {
        request.append(chunk, static_cast<std::size_t>(n));
      }
      const std::string answer =
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
          "Upgrade\r\nSec-WebSocket-Accept: " +
          accept_key(request) + "\r\n\r\n\x81\x05hello";
      SSL_write(tls.get(), answer.data(), static_cast<int>(answer.size()));
      while (SSL_read(tls.get(), chunk, sizeof chunk) > 0) {
      }
    }
    tls.reset();
    ::close(connection);
  }

  Result<std::unique_ptr<WebSocketClient>> connect(const std::string& host, bool trusting) {
    WebSocketClientOptions options;
    options.url = "wss://" + host + ":" + std::to_string(port_) + "/ws";
    if (trusting) options.ca_file = ca_file_.string();
    WebSocketEvents events;
    events.on_message = [this](const WebSocketPtr&, std::string_view text) {
      const std::lock_guard lock(mutex_);
      received_ = text;
      changed_.notify_all();
    };
    return WebSocketClient::connect(options, std::move(events));
  }

  Identity identity_;
  int listener_;
  int port_ = 0;
  std::filesystem::path ca_file_;
  std::thread server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string received_;
};

TEST_F(WebSocketTls, ATrustedServerIsHeard) {
  const auto client = connect("localhost", true);
  ASSERT_TRUE(client) << to_text(client.error());
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(changed_.wait_for(lock, 20s, [this] { return received_ == "hello"; }));
}

TEST_F(WebSocketTls, AServerNobodyVouchesForIsRefused) {
  const auto client = connect("localhost", false);
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, ErrorCode::unreachable);
  EXPECT_THAT(client.error().what, HasSubstr("TLS handshake"));
}

TEST_F(WebSocketTls, ACertificateForAnotherNameIsRefused) {
  const auto client = connect("127.0.0.1", true);
  ASSERT_FALSE(client);
  EXPECT_THAT(client.error().what, HasSubstr("TLS handshake"));
}

}  // namespace
}  // namespace chandler::net
