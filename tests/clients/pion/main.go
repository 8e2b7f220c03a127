// A WebRTC peer of Pion's. ../../support/opus_peer.py says what it is given and what it prints.
//
//	pion ROLE URL < packets
//
// It offers audio and video; a caller also a data channel.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/pion/webrtc/v3"
	"github.com/pion/webrtc/v3/pkg/media"
)

const packetLength = 20 * time.Millisecond

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

func run(role, url string) error {
	packets, err := readPackets(os.Stdin)
	if err != nil {
		return err
	}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	engine := webrtc.MediaEngine{}
	if err := engine.RegisterDefaultCodecs(); err != nil {
		return err
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(&engine), webrtc.WithSettingEngine(settings))
	peer, err := api.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
	if err != nil {
		return err
	}
	microphone, err := addTracks(peer, role)
	if err != nil {
		return err
	}
	peer.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { printAudio(track) })
	if role == "caller" {
		channel, err := peer.CreateDataChannel("oai-events", nil)
		if err != nil {
			return err
		}
		channel.OnMessage(printEvent)
	}
	connected := make(chan struct{})
	peer.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateConnected {
			fmt.Println("connected")
			close(connected)
		}
	})
	if err := negotiate(peer, url); err != nil {
		return err
	}
	<-connected
	if role == "listener" {
		select {}
	}
	return speak(microphone, packets)
}

func readPackets(from io.Reader) (packets [][]byte, err error) {
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		packet, err := base64.StdEncoding.DecodeString(lines.Text())
		if err != nil {
			return nil, err
		}
		packets = append(packets, packet)
	}
	return packets, lines.Err()
}

func addTracks(peer *webrtc.PeerConnection, role string) (*webrtc.TrackLocalStaticSample, error) {
	direction := map[string]webrtc.RTPTransceiverDirection{
		"caller":   webrtc.RTPTransceiverDirectionSendrecv,
		"speaker":  webrtc.RTPTransceiverDirectionSendonly,
		"listener": webrtc.RTPTransceiverDirectionRecvonly,
	}[role]
	init := webrtc.RTPTransceiverInit{Direction: direction}
	if role == "listener" {
		for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
			if _, err := peer.AddTransceiverFromKind(kind, init); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	microphone, err := webrtc.NewTrackLocalStaticSample(
		webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "audio", "stream")
	if err != nil {
		return nil, err
	}
	camera, err := webrtc.NewTrackLocalStaticSample(
		webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "video", "stream")
	if err != nil {
		return nil, err
	}
	for _, track := range []webrtc.TrackLocal{microphone, camera} {
		if _, err := peer.AddTransceiverFromTrack(track, init); err != nil {
			return nil, err
		}
	}
	return microphone, nil
}

func negotiate(peer *webrtc.PeerConnection, url string) error {
	offer, err := peer.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(peer)
	if err := peer.SetLocalDescription(offer); err != nil {
		return err
	}
	<-gathered
	body := strings.NewReader(peer.LocalDescription().SDP)
	answered, err := http.Post(url, "application/sdp", body)
	if err != nil {
		return err
	}
	defer answered.Body.Close()
	answer, err := io.ReadAll(answered.Body)
	if err != nil {
		return err
	}
	if answered.StatusCode != http.StatusCreated {
		return fmt.Errorf("%d %s", answered.StatusCode, answer)
	}
	return peer.SetRemoteDescription(
		webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)})
}

// speak sends the packets in real time, over and over.
func speak(microphone *webrtc.TrackLocalStaticSample, packets [][]byte) error {
	tick := time.NewTicker(packetLength)
	for sent := 0; ; sent++ {
		<-tick.C
		packet := packets[sent%len(packets)]
		if err := microphone.WriteSample(media.Sample{Data: packet, Duration: packetLength}); err != nil {
			return err
		}
	}
}

func printAudio(track *webrtc.TrackRemote) {
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		fmt.Println("audio", base64.StdEncoding.EncodeToString(packet.Payload))
	}
}

func printEvent(message webrtc.DataChannelMessage) {
	var event struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(message.Data, &event); err != nil {
		fmt.Println("error", err)
		return
	}
	fmt.Println("event", event.Type)
}
